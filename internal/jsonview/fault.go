package jsonview

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/partywall/partywall"
)

// ErrInput: the JSON that somebody typed is not JSON, or does not fit the type.
// The text of the error that wraps it says where and what is needed there, in
// one line that makes sense without the words of ErrInput.
var ErrInput = errors.New("bad JSON")

// A fault is what is wrong, and where.
type fault struct {
	path   string // "Inner.Points[3]", or empty for the whole value
	text   string
	placed bool  // the text has line and column: a path says no more
	also   error // what the error wraps besides, or nil
}

func faultf(format string, args ...any) *fault {
	return &fault{text: fmt.Sprintf(format, args...)}
}

// below returns the fault as seen from the value whose member step is.
func (f *fault) below(step string) *fault {
	switch {
	case f.placed:
	case f.path == "" || f.path[0] == '[':
		f.path = step + f.path
	default:
		f.path = step + "." + f.path
	}
	return f
}

func (f *fault) Error() string {
	if f.path == "" {
		return f.text
	}
	return shorten(f.path) + ": " + f.text
}

// shorten takes the middle out of a long path.
func shorten(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	end := path[len(path)-most/2:]
	for !utf8.RuneStart(end[0]) {
		end = end[1:]
	}
	return cut(path, most/2) + end
}

// input returns the error for JSON that somebody typed.
func (f *fault) input() error { return inputError{f} }

// foreign returns the error for what another process has sent.
func (f *fault) foreign(what string) error {
	return fmt.Errorf("%w: %s: %w", partywall.ErrProtocol, what, f)
}

// An inputError is a fault that wraps ErrInput without repeating it.
type inputError struct{ *fault }

func (e inputError) Unwrap() []error {
	if e.also != nil {
		return []error{ErrInput, e.also}
	}
	return []error{ErrInput}
}

// index is the step to an element.
func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// member is the step to a field or to the value of a key.
func member(name string) string {
	switch {
	case !plain(name):
		return "[" + quote(name) + "]"
	case digit(name[0]) || name[0] == '-':
		return "[" + name + "]"
	}
	return name
}

// longest is how much of a foreign text stands in an error, in bytes.
const longest = 40

// plain reports whether a name can stand in an error as it is.
func plain(name string) bool {
	for _, r := range name {
		if r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return name != "" && len(name) <= longest
}

// shown is a name in a list of names.
func shown(name string) string {
	if plain(name) {
		return name
	}
	return quote(name)
}

// quote returns s in quotes, cut if it is long.
func quote(s string) string { return strconv.Quote(cut(s, longest)) }

// ellipsis stands for what has been cut off.
const ellipsis = "..."

// cut returns the beginning of s, at most n bytes, and an ellipsis if that is not
// the whole.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + ellipsis
}

// unknownField says that an object has a field that its type, which has those
// names, does not have.
func unknownField(name string, names []string) *fault {
	text := "unknown field " + quote(name)
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return faultf("%s; did you mean %s? %s", text, shown(n), capital(fieldsAre(names)))
		}
	}
	return faultf("%s; %s", text, fieldsAre(names))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// fieldsAre says what fields there are, the first of them if there are many.
func fieldsAre(names []string) string {
	const most = 12
	switch n := len(names); n {
	case 0:
		return "there are no fields"
	case 1:
		return "the only field is " + shown(names[0])
	}
	var b strings.Builder
	b.WriteString("the fields are ")
	for i, name := range names {
		switch {
		case i == most && len(names) > most+1:
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			return b.String()
		case i == len(names)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(shown(name))
	}
	return b.String()
}
