package jsonview

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a text: the next byte is its quote.
func (r *reader) str() (string, *fault) {
	start := r.at
	r.at++
	var b []byte // what has been unescaped, nil before the first escape
	from := r.at
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '"':
			last := r.text[from:r.at]
			r.at++
			if b == nil {
				return last, nil
			}
			return string(append(b, last...)), nil
		case c == '\\':
			b = append(b, r.text[from:r.at]...)
			char, f := r.escape()
			if f != nil {
				return "", f
			}
			b = utf8.AppendRune(b, char)
			from = r.at
		case c < ' ':
			return "", r.wrong(r.at, fmt.Sprintf("%q in a text has to be written with a backslash", c))
		case c < utf8.RuneSelf:
			r.at++
		default:
			char, size := utf8.DecodeRuneInString(r.text[r.at:])
			if char == utf8.RuneError && size == 1 {
				return "", r.wrong(r.at, fmt.Sprintf("byte %#x is not UTF-8", c))
			}
			r.at += size
		}
	}
	return "", r.wrong(start, "the text has no closing quote")
}

// escape reads an escaped character: the next byte is its backslash.
func (r *reader) escape() (rune, *fault) {
	start := r.at
	r.at++
	if r.at == len(r.text) {
		return 0, r.wrong(start, "the text has no closing quote")
	}
	c := r.text[r.at]
	r.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return r.unicode(start)
	}
	return 0, r.wrong(start, "a backslash may stand before one of \"\\/bfnrtu only")
}

// unicode reads the digits of \u, and a second such escape after the first half
// of a surrogate pair.
func (r *reader) unicode(start int) (rune, *fault) {
	first, ok := r.hex()
	if !ok {
		return 0, r.wrong(start, "\\u needs four hexadecimal digits")
	}
	if !utf16.IsSurrogate(first) {
		return first, nil
	}
	if strings.HasPrefix(r.text[r.at:], `\u`) {
		r.at += 2
		second, ok := r.hex()
		if char := utf16.DecodeRune(first, second); ok && char != utf8.RuneError {
			return char, nil
		}
	}
	return 0, r.wrong(start, "half a surrogate pair is no character")
}

func (r *reader) hex() (char rune, ok bool) {
	if len(r.text)-r.at < 4 {
		return 0, false
	}
	for range 4 {
		c := r.text[r.at]
		switch {
		case digit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		char = char<<4 | rune(c)
		r.at++
	}
	return char, true
}
