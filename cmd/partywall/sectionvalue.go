package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// sectionChange is what is to be stored: a whole value, or fields.
type sectionChange struct {
	whole  json.RawMessage
	fields []assignment
}

// assignment is a field and its value as it was typed.
type assignment struct{ path, value string }

// parseChange reads FIELD=VALUE..., or JSON; with typed, FIELD:TYPE=VALUE and FIELD:TYPE too, whose types it
// returns.
func parseChange(args []string, typed bool) (c sectionChange, types []string, err error) {
	if len(args) == 1 && isJSON(args[0]) {
		c.whole = json.RawMessage(args[0])
		return c, nil, nil
	}
	for i, arg := range args {
		if isJSON(arg) {
			return c, nil, fmt.Errorf("%s is a whole value, beside which there can be nothing", shortened(arg))
		}
		path, value, given := strings.Cut(arg, "=")
		if typed {
			name, _, hasType := strings.Cut(path, ":")
			if hasType {
				types = append(types, path)
			} else if !given {
				return c, nil, fmt.Errorf("%q: FIELD:TYPE=VALUE, FIELD:TYPE or FIELD=VALUE is needed, such as n:uint32=1", shortened(arg))
			}
			path = name
		} else if !given {
			return c, nil, fmt.Errorf("%q: FIELD=VALUE is needed, such as n=1, or JSON", shortened(arg))
		}
		switch {
		case path == "":
			return c, nil, fmt.Errorf("%q: there is no field before the =", shortened(arg))
		case assigned(args[:i], path):
			return c, nil, fmt.Errorf("%q: there is a value for %s already", shortened(arg), shortened(path))
		case given:
			c.fields = append(c.fields, assignment{path, value})
		}
	}
	return c, types, nil
}

// isJSON reports whether an argument is meant to be a whole value.
func isJSON(arg string) bool {
	return arg != "" && strings.ContainsAny(arg[:1], "{[") || json.Valid([]byte(arg))
}

// assigned reports whether arguments have a value for a field.
func assigned(args []string, path string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		before, _, _ := strings.Cut(arg, "=")
		name, _, _ := strings.Cut(before, ":")
		return before == path || name == path
	})
}

// textSignature are the types that are written as texts.
var textSignature = regexp.MustCompile(`^\*?(\[[0-9]+\]uint8|string|text|time|\[[0-9]*\]byte)$`)

// jsonOf makes JSON of a value as it was typed: a text needs no quotation marks.
func jsonOf(signature, value string) ([]byte, error) {
	quoted := json.Valid([]byte(value)) && (value[0] == '"' || value[0] == '[' && signature[0] == '[')
	switch {
	case textSignature.MatchString(signature):
		if quoted || value == "null" && signature[0] == '*' {
			return []byte(value), nil
		}
	case signature == "any":
		if json.Valid([]byte(value)) {
			return []byte(value), nil
		}
	case value == "Inf":
		return []byte(`"+Inf"`), nil
	case value == "NaN", value == "+Inf", value == "-Inf":
		return []byte(quoteJSON(value)), nil
	default:
		return []byte(value), nil
	}
	if !utf8.ValidString(value) {
		return nil, errors.New("the text is not UTF-8; bytes can be an array of numbers, such as [255,0]")
	}
	return []byte(quoteJSON(value)), nil
}

// splitLine splits a line at its blanks, but for those within quotation marks.
func splitLine(line string) (args []string, err error) {
	var arg strings.Builder
	var quoted, escaped, any bool
	for _, r := range line {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case !quoted && (r == ' ' || r == '\t'):
			if any {
				args = append(args, arg.String())
				arg.Reset()
			}
			any = false
			continue
		}
		any = true
		arg.WriteRune(r)
	}
	if quoted {
		return nil, errors.New("a quotation mark is not closed")
	}
	if any {
		args = append(args, arg.String())
	}
	return args, nil
}
