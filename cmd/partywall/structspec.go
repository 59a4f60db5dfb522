package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// maxStruct bounds what a typing error in an array's length can ask for, in bytes.
const maxStruct = 16 << 20

// structSpec is a C struct as --struct has it: its fields, where they lie, and the values
// that they begin with.
type structSpec struct {
	fields []structField
	size   int // with the padding at the end
}

type structField struct {
	name   string
	kind   *fieldKind
	array  bool // it has a length; bytes and text16 always have one
	count  int  // of elements; 1 if it is no array
	offset int
	value  []byte // no longer than the field: what lies behind it is zero
}

// typ is the field's type as it is written.
func (f *structField) typ() string {
	if !f.array {
		return f.kind.name
	}
	return fmt.Sprintf("%s[%d]", f.kind.name, f.count)
}

func (f *structField) size() int { return f.count * f.kind.size }

// parseStruct reads NAME:TYPE=VALUE,NAME:TYPE=VALUE. Fields lie as a C compiler lays them
// out, each at a multiple of its element's size and the end padded to the largest of these, or,
// packed, one behind the other.
func parseStruct(text string, packed bool) (*structSpec, error) {
	s := &structSpec{}
	align := 1
	names := map[string]bool{}
	for more := true; more; {
		var one string
		var err error
		one, text, more, err = cutField(text)
		var f structField
		if err == nil {
			f, err = parseField(one)
		}
		if err == nil && names[f.name] {
			err = fmt.Errorf("there is a field %q before it", f.name)
		}
		if err == nil {
			names[f.name] = true
			if !packed {
				align = max(align, f.kind.size)
				s.size = roundUp(s.size, f.kind.size)
			}
			f.offset = s.size
			s.size += f.size()
			if s.size > maxStruct {
				err = fmt.Errorf("with it the struct has %d bytes; at most %d are possible", s.size, maxStruct)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("field %d (%q): %w", len(s.fields)+1, shortened(one), err)
		}
		s.fields = append(s.fields, f)
	}
	s.size = roundUp(s.size, align)
	return s, nil
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// shortened is a text that an error can quote.
func shortened(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// cutField cuts a text behind its first field. A comma in quotation marks, with which a value
// can begin, does not end it.
func cutField(text string) (field, rest string, more bool, err error) {
	begin := 0
	if at := strings.IndexAny(text, "=,"); at >= 0 && text[at] == '=' {
		begin = len(text) - len(strings.TrimLeftFunc(text[at+1:], unicode.IsSpace))
		if strings.HasPrefix(text[begin:], `"`) {
			quoted, err := strconv.QuotedPrefix(text[begin:])
			if err != nil {
				return strings.TrimSpace(text), "", false, errors.New(`its quotation mark is not closed, or is followed by a \ that means nothing`)
			}
			begin += len(quoted)
		}
	}
	end := strings.IndexByte(text[begin:], ',')
	if end < 0 {
		return strings.TrimSpace(text), "", false, nil
	}
	return strings.TrimSpace(text[:begin+end]), text[begin+end+1:], true, nil
}

// parseField reads one field, without blanks around it.
func parseField(text string) (f structField, err error) {
	declared, value, given := strings.Cut(text, "=")
	name, typ, ok := strings.Cut(declared, ":")
	if !ok {
		return f, errors.New("NAME:TYPE=VALUE is needed, such as red:f64=20.01")
	}
	f.name, f.count = strings.TrimSpace(name), 1
	if err := checkFieldName(f.name); err != nil {
		return f, err
	}
	if err := f.parseType(strings.TrimSpace(typ)); err != nil {
		return f, err
	}
	if value = strings.TrimSpace(value); given {
		f.value, err = f.parseValue(value)
	}
	return f, err
}

func checkFieldName(name string) error {
	bad := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.", r)
	}
	if name == "" {
		return errors.New("it has no name")
	}
	if strings.ContainsFunc(name, bad) {
		return errors.New("a name has letters, digits, _, - and . only")
	}
	return nil
}

func (f *structField) parseType(text string) error {
	name, length, array := strings.Cut(text, "[")
	name = strings.TrimSpace(name)
	if f.kind = fieldKinds[name]; f.kind == nil {
		return fmt.Errorf("unknown type %q; types are %s", shortened(name), fieldTypes)
	}
	f.array = array
	if !array {
		if f.kind.parse == nil {
			return fmt.Errorf("%s needs a length, such as %s[16]", name, name)
		}
		return nil
	}
	digits, behind, closed := strings.Cut(length, "]")
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 32)
	if !closed || behind != "" || err != nil || n < 1 || n > maxStruct {
		return fmt.Errorf("%q: a length is a number from 1 to %d in brackets, such as %s[16]", shortened(text), maxStruct, name)
	}
	f.count = int(n)
	return nil
}

// bytes returns the struct with the values that its fields begin with.
func (s *structSpec) bytes() []byte {
	data := make([]byte, s.size)
	for i := range s.fields {
		copy(data[s.fields[i].offset:], s.fields[i].value)
	}
	return data
}

// part returns a field's bytes of the struct's.
func (f *structField) part(data []byte) []byte { return data[f.offset : f.offset+f.size()] }
