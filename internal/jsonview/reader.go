package jsonview

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A reader takes JSON (RFC 8259) apart, from the front, as whoever reads it asks.
type reader struct {
	text    string
	at      int
	depth   int // of the arrays and objects that are open
	deepest int // that depth may be
}

// whole reads the one value that the text is to be.
func (r *reader) whole(value func() *fault) *fault {
	r.space()
	if r.at == len(r.text) {
		return faultf("the input is empty: a JSON value is needed")
	}
	if f := value(); f != nil {
		return f
	}
	if r.space(); r.at < len(r.text) {
		return r.broken("the end is needed")
	}
	return nil
}

// broken says that the text is not JSON at this place.
func (r *reader) broken(why string) *fault {
	_, size := utf8.DecodeRuneInString(r.text[r.at:])
	if size == 0 {
		return r.wrong(r.at, why+", but the input ends")
	}
	return r.wrong(r.at, fmt.Sprintf("%s, not %q", why, r.text[r.at:r.at+size]))
}

// wrong says that the text is not JSON at the byte at.
func (r *reader) wrong(at int, why string) *fault {
	before := r.text[:at]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return &fault{text: fmt.Sprintf("line %d, column %d: %s", line, column, why), placed: true}
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// take skips the next byte if it is c.
func (r *reader) take(c byte) bool {
	if r.space(); r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

// peek returns the first byte of the next value, or 0 for a digit or sign.
func (r *reader) peek() (byte, *fault) {
	if r.space(); r.at < len(r.text) {
		switch c := r.text[r.at]; c {
		case '{', '[', '"', 't', 'f', 'n':
			return c, nil
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			return 0, nil
		}
	}
	return 0, r.broken("a value is needed")
}

// mismatch says that the next value is of another type than needed.
func (r *reader) mismatch(need string) *fault {
	c, f := r.peek()
	is := ""
	switch c {
	case '{':
		is = "an object"
	case '[':
		is = "an array"
	case '"':
		is = "a text"
		if f == nil {
			_, f = r.str()
		}
	case 0:
		is = "a number"
		if f == nil {
			_, f = r.number()
		}
	default:
		is, f = r.literal()
	}
	if f != nil {
		return f
	}
	return faultf("%s, where %s is needed", is, need)
}

// literal reads true, false or null.
func (r *reader) literal() (string, *fault) {
	end := r.at
	for end < len(r.text) && (r.text[end]|0x20 >= 'a' && r.text[end]|0x20 <= 'z' || digit(r.text[end])) {
		end++
	}
	switch word := r.text[r.at:end]; word {
	case "true", "false", "null":
		r.at = end
		return word, nil
	default:
		return "", r.wrong(r.at, fmt.Sprintf("%s is no JSON value", quote(word)))
	}
}

// null skips a null, if that is next.
func (r *reader) null() bool {
	if r.space(); strings.HasPrefix(r.text[r.at:], "null") {
		start := r.at
		if _, f := r.literal(); f == nil {
			return true
		}
		r.at = start
	}
	return false
}

func (r *reader) boolean() (bool, *fault) {
	c, f := r.peek()
	if f != nil {
		return false, f
	}
	if c != 't' && c != 'f' {
		return false, r.mismatch("bool")
	}
	word, f := r.literal()
	return word == "true", f
}

// array reads an array, whose elements each has to read.
func (r *reader) array(need string, each func(i int) *fault) *fault {
	if f := r.open('[', need); f != nil {
		return f
	}
	defer r.close()
	if r.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		if f := each(i); f != nil {
			return f.below(index(i))
		}
		switch {
		case r.take(','):
		case r.take(']'):
			return nil
		default:
			return r.broken("a comma or ] is needed")
		}
	}
}

// object reads an object, whose values each has to read.
func (r *reader) object(need string, each func(name string) *fault) *fault {
	if f := r.open('{', need); f != nil {
		return f
	}
	defer r.close()
	if r.take('}') {
		return nil
	}
	for {
		if r.space(); r.at == len(r.text) || r.text[r.at] != '"' {
			return r.broken("a name in double quotes is needed")
		}
		name, f := r.str()
		if f != nil {
			return f
		}
		if !r.take(':') {
			return r.broken("a colon is needed")
		}
		if f := each(name); f != nil {
			return f
		}
		switch {
		case r.take(','):
		case r.take('}'):
			return nil
		default:
			return r.broken("a comma or } is needed")
		}
	}
}

// open reads the bracket that begins an array or object.
func (r *reader) open(bracket byte, need string) *fault {
	c, f := r.peek()
	switch {
	case f != nil:
		return f
	case c != bracket:
		return r.mismatch(need)
	case r.depth == r.deepest:
		return r.wrong(r.at, fmt.Sprintf("more than %d arrays and objects lie in each other", r.deepest))
	}
	r.depth++
	r.at++
	return nil
}

func (r *reader) close() { r.depth-- }

// number reads a number and returns it as it is written.
func (r *reader) number() (string, *fault) {
	start := r.at
	if r.text[r.at] == '-' {
		r.at++
	}
	if r.at < len(r.text) && r.text[r.at] == '0' {
		r.at++
	} else if f := r.digits(); f != nil {
		return "", f
	}
	if r.at < len(r.text) && r.text[r.at] == '.' {
		r.at++
		if f := r.digits(); f != nil {
			return "", f
		}
	}
	if r.at < len(r.text) && r.text[r.at]|0x20 == 'e' {
		r.at++
		if r.at < len(r.text) && (r.text[r.at] == '+' || r.text[r.at] == '-') {
			r.at++
		}
		if f := r.digits(); f != nil {
			return "", f
		}
	}
	return r.text[start:r.at], nil
}

func (r *reader) digits() *fault {
	if r.at == len(r.text) || !digit(r.text[r.at]) {
		return r.broken("a digit is needed")
	}
	for r.at < len(r.text) && digit(r.text[r.at]) {
		r.at++
	}
	return nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
