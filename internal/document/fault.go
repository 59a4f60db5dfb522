package document

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A fault is what is wrong with a value or a document, and where.
type fault struct {
	path  string
	err   error
	whole bool // it is about all of it, wherever it was found
}

func faultf(format string, args ...any) *fault {
	return &fault{err: fmt.Errorf(format, args...)}
}

// below returns the fault as seen from the value that has this one as name.
func (f *fault) below(name string) *fault {
	f.path = join(name, f.path)
	return f
}

func (f *fault) at(i int) *fault { return f.below("[" + strconv.Itoa(i) + "]") }

// error returns the fault as an error of one line.
func (f *fault) error() error {
	switch {
	case f.whole:
		return oneLine{f.err}
	case f.path == "":
		return oneLine{fmt.Errorf("the value: %w", f.err)}
	}
	return oneLine{fmt.Errorf("field %s: %w", shorten(f.path), f.err)}
}

// maxText bounds an error's text, in bytes, where others have a say in it.
const maxText = 500

// A oneLine is an error whose text is short and has no line breaks, whatever a
// user's method or a peer's document has put there.
type oneLine struct{ err error }

func (e oneLine) Unwrap() error { return e.err }

func (e oneLine) Error() string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, e.err.Error())
	if len(text) > maxText {
		text = cutBefore(text, maxText-len("...")) + "..."
	}
	return text
}

// shorten takes the middle out of a path or name of more than 200 bytes.
func shorten(path string) string {
	const half = 100
	if len(path) <= 2*half {
		return path
	}
	end := path[len(path)-half:]
	for len(end) > 0 && !utf8.RuneStart(end[0]) {
		end = end[1:]
	}
	return cutBefore(path, half) + "..." + end
}

// cutBefore returns at most n bytes from the beginning of s, in whole characters.
func cutBefore(s string, n int) string {
	if n >= len(s) {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
