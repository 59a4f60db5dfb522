package main

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// shape is a type as its signature tells it: enough for an example and for completion.
// The call itself does not depend on it, since a long signature is cut short.
type shape struct {
	kind   string // the name of a scalar; or struct, tuple, list, array, map, pointer
	size   int    // of an array
	key    *shape // of a map
	elem   *shape // of a list, array, map or pointer
	fields []shapeField
}

type shapeField struct {
	name string
	*shape
}

// unknown is where a signature says no more.
var unknown = &shape{kind: "..."}

// known reports whether anything is known of a type.
func (s *shape) known() bool { return s.kind != unknown.kind }

// parseShape reads a signature.
func parseShape(signature string) *shape {
	p := shapeParser{signature}
	s, err := p.shape()
	if err != nil || p.rest != "" {
		return unknown
	}
	return s
}

type shapeParser struct{ rest string }

var errShape = errors.New("no signature")

func (p *shapeParser) take(prefix string) (ok bool) {
	p.rest, ok = strings.CutPrefix(p.rest, prefix)
	return ok
}

// until takes what stands before the first of some bytes.
func (p *shapeParser) until(bytes string) string {
	end := strings.IndexAny(p.rest, bytes)
	if end < 0 {
		end = len(p.rest)
	}
	before := p.rest[:end]
	p.rest = p.rest[end:]
	return before
}

func (p *shapeParser) shape() (s *shape, err error) {
	switch {
	case p.take(unknown.kind):
		return unknown, nil
	case p.take("{"):
		s = &shape{kind: "struct"}
		s.fields, err = p.fields("}")
	case p.take("("):
		s = &shape{kind: "tuple"}
		s.fields, err = p.fields(")")
	case p.take("*"):
		s = &shape{kind: "pointer"}
		s.elem, err = p.shape()
	case p.take("map["):
		s = &shape{kind: "map"}
		if s.key, err = p.shape(); err == nil && !p.take("]") {
			err = errShape
		}
		if err == nil {
			s.elem, err = p.shape()
		}
	case p.take("[]"):
		s = &shape{kind: "list"}
		s.elem, err = p.shape()
	case p.take("["):
		s = &shape{kind: "array"}
		if s.size, err = strconv.Atoi(p.until("]")); err == nil && !p.take("]") {
			err = errShape
		}
		if err == nil {
			s.elem, err = p.shape()
		}
	default:
		if s = (&shape{kind: p.until(" ,{}()[]")}); s.kind == "" {
			err = errShape
		}
	}
	return s, err
}

func (p *shapeParser) fields(end string) (fields []shapeField, err error) {
	for !p.take(end) {
		if len(fields) > 0 && !p.take(", ") {
			return nil, errShape
		}
		if p.take(unknown.kind) {
			continue
		}
		name := strings.TrimSuffix(p.until(" "), "?")
		if name == "" || !p.take(" ") {
			return nil, errShape
		}
		s, err := p.shape()
		if err != nil {
			return nil, err
		}
		fields = append(fields, shapeField{name, s})
	}
	return fields, nil
}

// at returns the type of a field, by the names on the way to it.
func (s *shape) at(path []string) *shape {
	for s.kind == "pointer" {
		s = s.elem
	}
	switch {
	case len(path) == 0:
		return s
	case s.kind == "map":
		return s.elem.at(path[1:])
	case s.kind == "struct":
		for _, f := range s.fields {
			if f.name == path[0] {
				return f.at(path[1:])
			}
		}
	}
	return unknown
}

// isBytes reports whether a type is bytes of any number.
func (s *shape) isBytes() bool {
	return s.kind == "bytes" || s.kind == "list" && s.elem.isByte()
}

// isBlock reports whether a type is a fixed number of bytes.
func (s *shape) isBlock() bool { return s.kind == "array" && s.elem.isByte() }

// fromFile reports whether a file can be the value.
func (s *shape) fromFile() bool { return s.isBytes() || s.isBlock() || s.kind == "string" }

func (s *shape) isByte() bool { return s.kind == "byte" || s.kind == "uint8" }

// paths lists the fields of structs for which want holds, as --file names them.
func (s *shape) paths(want func(*shape) bool) []string {
	if want(s) {
		return []string{"."}
	}
	return s.pathsBelow("", want)
}

func (s *shape) pathsBelow(before string, want func(*shape) bool) (paths []string) {
	for _, f := range s.fields {
		switch at := f.at(nil); {
		case strings.ContainsAny(f.name, ".="): // --file would take it for two
		case want(at):
			paths = append(paths, before+f.name)
		case at.kind == "struct":
			paths = append(paths, at.pathsBelow(before+f.name+".", want)...)
		}
	}
	return paths
}

// example is an argument to begin with, or nil if nothing is known of it. Without
// withBytes, it leaves bytes to --file.
func (s *shape) example(withBytes bool) json.RawMessage {
	switch {
	case !s.known(), s.isBytes() && !withBytes:
		return nil
	case s.isBytes(), s.isBlock():
		return json.RawMessage(`""`)
	}
	switch s.kind {
	case "struct":
		return s.exampleOf("{}", withBytes, func(f shapeField) string { return quoteJSON(f.name) + ":" })
	case "tuple":
		return s.exampleOf("[]", withBytes, func(shapeField) string { return "" })
	case "pointer":
		return s.elem.example(withBytes)
	case "list", "array":
		return json.RawMessage("[" + string(s.elem.example(withBytes)) + "]")
	case "map":
		key, e := "0", s.elem.example(withBytes)
		if s.key.kind == "string" {
			key = "key"
		}
		if e == nil {
			return json.RawMessage("{}")
		}
		return json.RawMessage("{" + quoteJSON(key) + ":" + string(e) + "}")
	}
	if e, ok := scalarExamples[s.kind]; ok {
		return json.RawMessage(e)
	}
	return json.RawMessage("0")
}

// scalarExamples are for what is no number.
var scalarExamples = map[string]string{
	"bool": "false", "string": `""`, "text": `""`, "time": `"2006-01-02T15:04:05Z"`, "any": "null",
	"complex64": "[0,0]", "complex128": "[0,0]",
}

func (s *shape) exampleOf(brackets string, withBytes bool, before func(shapeField) string) json.RawMessage {
	var parts []string
	for _, f := range s.fields {
		if e := f.example(withBytes); e != nil {
			parts = append(parts, before(f)+string(e))
		}
	}
	return json.RawMessage(brackets[:1] + strings.Join(parts, ",") + brackets[1:])
}

func quoteJSON(s string) string {
	b, _ := json.Marshal(s) // a string has no error
	return string(b)
}
