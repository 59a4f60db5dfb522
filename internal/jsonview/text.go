package jsonview

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// appendText appends s, which is UTF-8, as a JSON text. Characters that show
// nothing, or that a terminal might obey, are escaped.
func appendText(b []byte, s []byte) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[from:i]...)
			b = appendEscaped(b, rune(c))
			i++
			from = i
			continue
		}
		char, size := utf8.DecodeRune(s[i:])
		if !unicode.IsGraphic(char) {
			b = append(b, s[from:i]...)
			b = appendEscaped(b, char)
			from = i + size
		}
		i += size
	}
	return append(append(b, s[from:]...), '"')
}

func appendEscaped(b []byte, char rune) []byte {
	switch char {
	case '"', '\\':
		return append(b, '\\', byte(char))
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	if char > 0xffff {
		char -= 0x10000
		return appendUnit(appendUnit(b, 0xd800+char>>10), 0xdc00+char&0x3ff)
	}
	return appendUnit(b, char)
}

// appendUnit appends \u and four hexadecimal digits.
func appendUnit(b []byte, unit rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[unit>>12&15], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
}

// appendBytes appends the elements of an array of uint8: as a text if reading that
// gives the same bytes and a person can read it too.
func appendBytes(b, v []byte) []byte {
	text := bytes.TrimRight(v, "\x00")
	if printable(text) {
		return appendText(b, text)
	}
	b = append(b, '[')
	for i, c := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(c), 10)
	}
	return append(b, ']')
}

// printable reports whether text is UTF-8 whose characters are meant to be read.
func printable(text []byte) bool {
	for len(text) > 0 {
		char, size := utf8.DecodeRune(text)
		if char == utf8.RuneError && size == 1 {
			return false
		}
		if !unicode.IsPrint(char) && char != '\n' && char != '\r' && char != '\t' {
			return false
		}
		text = text[size:]
	}
	return true
}

// byteArray reads the elements of an array of uint8 into value: a text, or numbers.
func (r *reader) byteArray(value []byte, need string) *fault {
	c, f := r.peek()
	switch {
	case f != nil:
		return f
	case c == '"':
		text, f := r.str()
		if f != nil {
			return f
		}
		if len(text) > len(value) {
			return faultf("the text has %d bytes, more than %s has room for", len(text), need)
		}
		copy(value, text)
		return nil
	case c != '[':
		return r.mismatch(need)
	}
	return r.array(need, func(i int) *fault {
		if i == len(value) {
			return tooMany(need)
		}
		u, f := r.integer(integer{false, 8})
		if f == nil {
			value[i] = byte(u)
		}
		return f
	})
}

// tooMany says that an array has an element that its type has no room for.
func tooMany(need string) *fault {
	return faultf("one element more than %s has room for", need)
}
