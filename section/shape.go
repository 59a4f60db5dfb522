package section

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

// A shape is a form as somebody sees it who has no type for it: he names fields by their paths, and
// writes values as JSON.
type shape struct {
	form    form
	ordered *fixed.Schema // of a fixed layout
}

func newShape(f form) shape {
	s := shape{form: f}
	if f.kind == fixedForm {
		s.ordered = inOrder(f.fixed)
	}
	return s
}

// toJSON writes a value, or the part of it that a path names.
func (s *shape) toJSON(data []byte, path string) ([]byte, error) {
	switch s.form.kind {
	case fixedForm:
		p, err := s.part(path)
		if err != nil {
			return nil, err
		}
		return jsonview.FixedToJSON(&p.schema, data[p.from:p.from+int(p.schema.Size)])
	case documentForm:
		return s.documentToJSON(data, path)
	}
	if path != "" {
		return nil, s.noField(path)
	}
	return bytesToJSON(data), nil
}

// fromJSON reads a whole value.
func (s *shape) fromJSON(text []byte) (data []byte, err error) {
	switch s.form.kind {
	case fixedForm:
		data, err = jsonview.FixedFromJSON(s.ordered, text)
	case documentForm:
		data, err = jsonview.DocumentFromJSON(s.form.document, text)
	default:
		return bytesFromJSON(text)
	}
	return data, typed(err)
}

// set returns the value with another value of a field. It may change data.
func (s *shape) set(data []byte, path string, text []byte) ([]byte, error) {
	switch s.form.kind {
	case fixedForm:
		return data, s.setFixed(data, path, text)
	case documentForm:
		return s.setDocument(data, path, text)
	}
	if path != "" {
		return nil, s.noField(path)
	}
	return bytesFromJSON(text)
}

// setFixed changes the bytes of a field, and no others: padding stays, and so does a NaN of whatever bits.
func (s *shape) setFixed(data []byte, path string, text []byte) error {
	p, err := s.part(path)
	if err != nil {
		return err
	}
	value, err := jsonview.FixedFromJSON(&p.schema, text)
	if err != nil {
		return about(path, typed(err))
	}
	for _, f := range p.schema.Fields {
		copy(data[p.from+int(f.Offset):], value[f.Offset:f.Offset+f.Size*f.Count])
	}
	return nil
}

// about says which field an error is about.
func about(path string, err error) error {
	if err == nil || path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// A part is a field, or a struct or array of some.
type part struct {
	from   int          // its first byte
	schema fixed.Schema // counted from there
}

// part finds the fields that a path names. It wraps ErrInput if there are none.
func (s *shape) part(path string) (*part, error) {
	if path == "" {
		return &part{schema: *s.ordered}, nil
	}
	var p part
	from, end := s.form.fixed.Size, uint32(0)
	for _, f := range s.ordered.Fields {
		rest, ok := strings.CutPrefix(f.Path, path)
		if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
			continue
		}
		f.Path = strings.TrimPrefix(rest, ".")
		p.schema.Fields = append(p.schema.Fields, f)
		from, end = min(from, f.Offset), max(end, f.Offset+f.Size*f.Count)
	}
	if len(p.schema.Fields) == 0 {
		f, ok := s.element(path)
		if !ok {
			return nil, s.noField(path)
		}
		from, end = f.Offset, f.Offset+f.Size
		p.schema.Fields = []fixed.Field{f}
	}
	for i := range p.schema.Fields {
		p.schema.Fields[i].Offset -= from
	}
	p.from, p.schema.Size, p.schema.Align = int(from), end-from, 1
	return &p, nil
}

// element finds an element of an array of numbers, which is one field as a whole. Arrays of arrays are counted
// through.
func (s *shape) element(path string) (f fixed.Field, ok bool) {
	before, index, ok := strings.Cut(strings.TrimSuffix(path, "]"), "[")
	if at := strings.LastIndexByte(path, '['); at >= 0 {
		before, index = path[:at], strings.TrimSuffix(path[at+1:], "]")
	}
	n, err := strconv.ParseUint(index, 10, 32)
	if !ok || err != nil || !strings.HasSuffix(path, "]") {
		return f, false
	}
	for _, f := range s.ordered.Fields {
		if f.Path == before && f.Count > 1 && uint32(n) < f.Count {
			f.Path, f.Offset, f.Count = "", f.Offset+uint32(n)*f.Size, 1
			return f, true
		}
	}
	return f, false
}

// signature says what the type of a field is.
func (s *shape) signature(path string) (string, error) {
	switch s.form.kind {
	case fixedForm:
		p, err := s.part(path)
		if err != nil {
			return "", err
		}
		return jsonview.FixedSignature(&p.schema), nil
	case documentForm:
		steps, err := s.steps(path)
		if err != nil {
			return "", err
		}
		return below(s.form.document, steps).Signature(), nil
	}
	if path != "" {
		return "", s.noField(path)
	}
	return "bytes", nil
}

// fields lists the fields of a type: see [Dynamic.Fields].
func (s *shape) fields() (fields []Field) {
	switch s.form.kind {
	case fixedForm:
		for _, f := range s.ordered.Fields {
			if f.Path != "" {
				path := f.Path
				f.Path, f.Offset = "", 0
				one := &fixed.Schema{Size: f.Size * f.Count, Align: 1, Fields: []fixed.Field{f}}
				fields = append(fields, Field{path, jsonview.FixedSignature(one)})
			}
		}
	case documentForm:
		fields = documentFields(s.form.document)
	}
	return fields
}

// noField says that there is no field of that path, and which there are.
func (s *shape) noField(path string) error {
	const most = 12
	var names []string
	for _, f := range s.fields() {
		names = append(names, f.Path)
	}
	path = strconv.Quote(path)
	switch {
	case len(names) == 0:
		return inputf("there is no field %s: the section has none", path)
	case len(names) > most:
		return inputf("there is no field %s; the fields are %s and %d more", path, strings.Join(names[:most], ", "), len(names)-most)
	}
	return inputf("there is no field %s; the fields are %s", path, strings.Join(names, ", "))
}
