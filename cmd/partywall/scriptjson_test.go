package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// json FILE CHECK...: the file is one JSON object, and each check holds:
//
//	width         there is such a field, or idle.conns
//	!idle         there is none
//	width=64      it is that JSON value
//	calls>0       it is a number above that one
//	a!=b          two fields differ
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: json FILE [CHECK...]")
	}
	text := ts.ReadFile(args[0])
	d := json.NewDecoder(strings.NewReader(text))
	object := map[string]any{}
	if err := d.Decode(&object); err != nil {
		ts.Fatalf("%s is no JSON object: %v\n%s", args[0], err, text)
	}
	if _, err := d.Token(); err != io.EOF {
		ts.Fatalf("%s has more than one JSON value:\n%s", args[0], text)
	}
	for _, check := range args[1:] {
		if err := jsonCheck(object, check); err != nil {
			ts.Fatalf("%s: %s: %v\n%s", args[0], check, err, text)
		}
	}
}

func jsonCheck(object map[string]any, check string) error {
	if name, ok := strings.CutPrefix(check, "!"); ok {
		if _, err := jsonField(object, name); err == nil {
			return fmt.Errorf("there is one")
		}
		return nil
	}
	if a, b, ok := strings.Cut(check, "!="); ok {
		left, err := jsonField(object, a)
		if err != nil {
			return err
		}
		right, err := jsonField(object, b)
		if err == nil && left == right {
			err = fmt.Errorf("both are %v", left)
		}
		return err
	}
	at := strings.IndexAny(check, "=>")
	if at < 0 {
		_, err := jsonField(object, check)
		return err
	}
	got, err := jsonField(object, check[:at])
	if err != nil {
		return err
	}
	var want any
	if err := json.Unmarshal([]byte(check[at+1:]), &want); err != nil {
		return err
	}
	if check[at] == '=' {
		if got != want {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	}
	if number, ok := got.(float64); !ok || !(number > want.(float64)) {
		return fmt.Errorf("it is %v", got)
	}
	return nil
}

// jsonField finds what a path of names and, in lists, of numbers leads to.
func jsonField(value any, path string) (any, error) {
	name, rest, deeper := strings.Cut(path, ".")
	switch v := value.(type) {
	case map[string]any:
		inner, ok := v[name]
		if !ok {
			return nil, fmt.Errorf("there is no field %s", name)
		}
		value = inner
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(v) {
			return nil, fmt.Errorf("there is no element %s of %d", name, len(v))
		}
		value = v[i]
	default:
		return nil, fmt.Errorf("%v has no field %s", value, name)
	}
	if !deeper {
		return value, nil
	}
	return jsonField(value, rest)
}
