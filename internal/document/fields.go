package document

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// A promoter collects the fields of a struct and of those that it embeds.
type promoter struct {
	members  []member
	next     []level // structs that are embedded one deeper
	pointees int     // bytes of those that are embedded by pointer
}

// A level is a struct whose fields are promoted to another, or that one itself.
type level struct {
	t        reflect.Type
	index    []int
	times    int  // it is embedded at this depth
	pointers bool // embedded pointers lead here
}

// membersOf returns the fields of struct t that the library encodes and decodes, in
// the order of their index, and the bytes of the structs that t embeds by pointer. It
// does what getFields in structfields.go of fxamacker/cbor v2.9 does, which is what
// encoding/json does.
func membersOf(t reflect.Type) ([]member, int, *refusal) {
	p := promoter{next: []level{{t: t, times: 1}}}
	visited := make(map[reflect.Type]bool)
	for len(p.next) > 0 {
		current := p.next
		p.next = nil
		for _, l := range current {
			// A struct that is embedded twice at one depth, or again further
			// down, has no fields there.
			if l.times > 1 || visited[l.t] {
				continue
			}
			visited[l.t] = true
			if ref := p.promote(l); ref != nil {
				return nil, 0, ref.below(fieldPath(t, l.index))
			}
		}
	}
	for i := range p.members {
		m := &p.members[i]
		if !m.keyed {
			continue
		}
		name, ok := canonicalKey(m.name)
		if !ok {
			return nil, 0, refuse(m.typ, "its tag says keyasint, and its name is no integer; give it one").below(fieldPath(t, m.index))
		}
		m.name = name
	}
	return visible(p.members), p.pointees, nil
}

func (p *promoter) promote(l level) *refusal {
	for i := range l.t.NumField() {
		f := l.t.Field(i)
		base, _ := pointee(f.Type)
		embeds := f.Anonymous && base.Kind() == reflect.Struct
		if !f.IsExported() && !embeds {
			continue
		}
		m, skip := parseTag(f)
		if skip {
			continue
		}
		m.index = append(slices.Clip(l.index), i)
		m.typ = f.Type
		m.promoted = l.pointers
		m.optional = m.optional || l.pointers // a nil pointer leaves all its fields out
		if why := badEmbedding(f, base, m.name); embeds && why != "" {
			return refuse(f.Type, why).below(f.Name)
		}
		if !embeds || m.name != "" {
			if m.name == "" {
				m.name = f.Name
			}
			p.members = append(p.members, m)
			continue
		}
		pointer := f.Type.Kind() == reflect.Pointer
		if pointer {
			p.pointees += int(base.Size())
		}
		if at := slices.IndexFunc(p.next, func(e level) bool { return e.t == base }); at >= 0 {
			p.next[at].times++
			continue
		}
		p.next = append(p.next, level{t: base, index: m.index, times: 1, pointers: l.pointers || pointer})
	}
	return nil
}

// badEmbedding says why struct base cannot be embedded as f, or "". The name is that
// in the tag.
func badEmbedding(f reflect.StructField, base reflect.Type, name string) string {
	switch kind, why := specialKind(base); {
	case !f.IsExported() && f.Type.Kind() == reflect.Pointer:
		return "a pointer to an unexported struct cannot be set when it is decoded; embed the struct itself, or export its name"
	case !f.IsExported() && name != "":
		return "it has a name in its tag, and its name in Go is not exported; export it, or leave the name out of the tag"
	case name == "" && (kind != 0 || why != ""):
		return "it is embedded, so the methods that encode it would not be used; give the field a name"
	}
	return ""
}

// pointee returns what is found by following the pointers of t, if there are not
// too many of them.
func pointee(t reflect.Type) (reflect.Type, bool) {
	for range 100 {
		if t.Kind() != reflect.Pointer {
			return t, true
		}
		t = t.Elem()
	}
	return t, false
}

// parseTag reads a field's cbor tag, or its json tag if it has none. The name is
// empty if the tag has none.
func parseTag(f reflect.StructField) (m member, skip bool) {
	tag := f.Tag.Get("cbor")
	if tag == "" {
		tag = f.Tag.Get("json")
	}
	if tag == "-" {
		return m, true
	}
	m.tagged = tag != ""
	name, options, _ := strings.Cut(tag, ",")
	m.name = name
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty", "omitzero":
			m.optional = true
		case "keyasint":
			m.keyed = true
		}
	}
	return m, false
}

// visible returns the members that are not hidden by another of the same name: one
// that is less deep, or else the only one at its depth, or the only tagged one.
func visible(members []member) []member {
	slices.SortFunc(members, func(a, b member) int {
		return cmp.Or(strings.Compare(a.name, b.name), compareBool(a.keyed, b.keyed),
			len(a.index)-len(b.index), compareBool(a.tagged, b.tagged))
	})
	var out []member
	for len(members) > 0 {
		n := 1
		for n < len(members) && members[n].key() == members[0].key() {
			n++
		}
		first := &members[0]
		if n == 1 || len(first.index) < len(members[1].index) || first.tagged && !members[1].tagged {
			out = append(out, *first)
		}
		members = members[n:]
	}
	slices.SortFunc(out, func(a, b member) int { return slices.Compare(a.index, b.index) })
	return out
}

// compareBool puts true first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// isTuple reports whether a struct says of itself that it is an array.
func isTuple(t reflect.Type) bool {
	f, ok := t.FieldByName("_")
	if !ok {
		return false
	}
	_, options, _ := strings.Cut(f.Tag.Get("cbor"), ",")
	return slices.Contains(strings.Split(options, ","), "toarray")
}

// hidesFields reports whether a struct has something that cannot be sent because
// its name is not exported.
func hidesFields(t reflect.Type) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Name == "_" || f.Tag.Get("cbor") == "-":
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			if hidesFields(f.Type) {
				return true
			}
		case !f.IsExported():
			return true
		}
	}
	return false
}

// HasOptional reports whether t, or a struct within it, has a field that its tag
// allows to leave out: such a type is meant to grow. It looks through structs and
// arrays only.
func HasOptional(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return HasOptional(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() && !f.Anonymous {
				continue
			}
			m, skip := parseTag(f)
			if !skip && (m.optional || HasOptional(f.Type)) {
				return true
			}
		}
	}
	return false
}
