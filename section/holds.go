package section

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

// parseTypes makes a form of what [Holds] was given. Its errors wrap ErrInput.
func parseTypes(types []string, capacity int) (form, error) {
	if len(types) == 0 {
		return form{}, inputf("there is no type: bytes, or fields such as n:uint32, are needed")
	}
	if len(types) == 1 && types[0] == "bytes" {
		return form{kind: bytesForm, name: "bytes", schema: bytesSchema, capacity: capacity}, nil
	}
	root := &member{}
	for _, text := range types {
		f, err := parseField(text)
		if err == nil {
			err = root.add(f.Path, f)
		}
		if err != nil {
			return form{}, inputf("field %q: %w", cutText(text), err)
		}
	}
	l := layout{}
	size, align := root.place(&l, "", 0)
	if l.tooLarge || size > fixed.MaxSize {
		return form{}, inputf("%w: the fields take more than %d bytes", partywall.ErrTooLarge, fixed.MaxSize)
	}
	schema := &fixed.Schema{Size: uint32(size), Align: uint32(align), Fields: l.fields}
	encoded, err := schema.MarshalBinary()
	if err != nil {
		return form{}, inputf("%w", err)
	}
	return form{kind: fixedForm, name: "the one that is wanted", fixed: schema, schema: encoded, capacity: int(size)}, nil
}

// cutText is a text that an error can quote.
func cutText(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// parseField reads PATH:TYPE.
func parseField(text string) (f fixed.Field, err error) {
	path, typ, ok := strings.Cut(text, ":")
	if !ok {
		return f, fmt.Errorf("NAME:TYPE is needed, such as n:uint32")
	}
	if path == "" {
		return f, fmt.Errorf("it has no name")
	}
	if len(path) > fixed.MaxPath {
		return f, fmt.Errorf("its name has %d bytes; at most %d are possible", len(path), fixed.MaxPath)
	}
	for name := range strings.SplitSeq(path, ".") {
		if !identifier(name) {
			return f, fmt.Errorf("%q is no name: a letter or _, and then letters, digits and _ are needed, and a dot before the name of a field within", cutText(name))
		}
	}
	f.Path, f.Count = path, 1
	if length, elem, array := strings.Cut(typ, "]"); array && strings.HasPrefix(length, "[") {
		n, err := strconv.ParseUint(length[1:], 10, 32)
		if err != nil || n == 0 || n > fixed.MaxSize {
			return f, fmt.Errorf("type %q: a length from 1 to %d is needed in the brackets", cutText(typ), fixed.MaxSize)
		}
		f.Count, typ = uint32(n), elem
	}
	if f.Kind, err = parseKind(typ); err != nil {
		return f, err
	}
	f.Size = f.Kind.Size()
	return f, nil
}

func identifier(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return name != ""
}

// others are types that people may write, and what they are to write instead.
var others = map[string]string{
	"string": "a text has a fixed length here: [32]uint8 has room for 32 bytes",
	"int":    "its size differs between programs: int64 or int32",
	"uint":   "its size differs between programs: uint64 or uint32",
	"float":  "float64 or float32",
	"bytes":  "bytes are a section of their own; a field can be [32]uint8",
	"rune":   "int32",
}

func parseKind(text string) (fixed.Kind, error) {
	if text == "byte" {
		return fixed.Uint8, nil
	}
	var names []string
	for k := fixed.Bool; k.Size() != 0; k++ {
		if k.String() == text {
			return k, nil
		}
		names = append(names, k.String())
	}
	if instead := others[text]; instead != "" {
		return 0, fmt.Errorf("type %s: %s", text, instead)
	}
	if strings.HasPrefix(text, "[") {
		return 0, fmt.Errorf("type %q: an array has one length, and elements that are no arrays", cutText(text))
	}
	return 0, fmt.Errorf("unknown type %q; types are %s, and arrays such as [4]int32", cutText(text), strings.Join(names, ", "))
}

// A member is a field, or a struct of some.
type member struct {
	name    string
	field   *fixed.Field
	members []*member
}

func (m *member) add(path string, f fixed.Field) error {
	name, rest, deeper := strings.Cut(path, ".")
	i := slices.IndexFunc(m.members, func(o *member) bool { return o.name == name })
	if i < 0 {
		i = len(m.members)
		m.members = append(m.members, &member{name: name})
		if !deeper {
			m.members[i].field = &f
			return nil
		}
	} else if there := m.members[i]; !deeper || there.field != nil {
		return fmt.Errorf("there is a field %s before it", strings.TrimSuffix(f.Path, "."+rest))
	}
	return m.members[i].add(rest, f)
}

// A layout is the fields that have a place already.
type layout struct {
	fields   []fixed.Field
	tooLarge bool
}

// place gives the fields their places, from an offset on that suits all, and returns how long the member is, and
// how it is aligned: as Go does it on 64-bit systems.
func (m *member) place(l *layout, path string, from uint64) (size, align uint64) {
	if m.field != nil {
		f := *m.field
		f.Path, f.Offset = path, uint32(from)
		l.fields = append(l.fields, f)
		l.tooLarge = l.tooLarge || from+uint64(f.Size)*uint64(f.Count) > fixed.MaxSize
		return uint64(f.Size) * uint64(f.Count), m.align()
	}
	at, align := from, m.align()
	for _, inner := range m.members {
		name := inner.name
		if path != "" {
			name = path + "." + name
		}
		at = up(at, inner.align())
		n, _ := inner.place(l, name, at)
		at += n
	}
	return up(at-from, align), align
}

func (m *member) align() uint64 {
	if m.field != nil {
		if m.field.Kind == fixed.Complex64 || m.field.Kind == fixed.Complex128 {
			return uint64(m.field.Size / 2)
		}
		return uint64(m.field.Size)
	}
	align := uint64(1)
	for _, inner := range m.members {
		align = max(align, inner.align())
	}
	return align
}

func up(n, to uint64) uint64 { return (n + to - 1) / to * to }
