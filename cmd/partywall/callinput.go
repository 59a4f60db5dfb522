package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
)

// fileField is a field that a file fills.
type fileField struct {
	path []string // empty: the whole argument
	file string
	data []byte
}

func parseFiles(options []string) (fields []fileField, err error) {
	for _, o := range options {
		name, file, ok := strings.Cut(o, "=")
		if !ok || name == "" || file == "" {
			return nil, fmt.Errorf("--file %s: FIELD=PATH is needed, such as left=a.png", o)
		}
		f := fileField{file: file}
		if name != "." {
			f.path = strings.Split(name, ".")
		}
		fields = append(fields, f)
	}
	return fields, nil
}

func (f *fileField) name() string {
	if len(f.path) == 0 {
		return "."
	}
	return strings.Join(f.path, ".")
}

func parseMeta(options []string) (map[string]string, error) {
	metadata := map[string]string{}
	for _, o := range options {
		key, value, ok := strings.Cut(o, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--meta %s: KEY=VALUE is needed, such as request-id=42", o)
		}
		if _, twice := metadata[key]; twice {
			return nil, fmt.Errorf("--meta %s: there is a second value for %s", o, key)
		}
		metadata[key] = value
	}
	return metadata, nil
}

func (c *caller) options() []call.DialOption {
	if len(c.metadata) == 0 {
		return nil
	}
	return []call.DialOption{call.Intercept(func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
		maps.Copy(info.Metadata, c.metadata)
		return next(ctx)
	})}
}

// maxArgument bounds an argument as it is typed: bytes in base64 are a third longer.
const maxArgument = int64(call.MaxBody)/3*4 + 1<<20

// input is what a call sends.
type input struct{ arg, body []byte }

// input reads the argument, the files and the body. A read that a signal interrupts is
// left alone: nothing but memory is lost with it.
func (c *caller) input(cmd *cobra.Command) (*input, error) {
	if c.describe {
		return &input{}, nil
	}
	type outcome struct {
		in  *input
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		in, err := c.read(cmd.InOrStdin())
		done <- outcome{in, err}
	}()
	select {
	case o := <-done:
		return o.in, o.err
	case <-cmd.Context().Done():
		return nil, cmd.Context().Err()
	}
}

func (c *caller) read(stdin io.Reader) (_ *input, err error) {
	in := &input{arg: []byte(c.json)}
	if c.json == "-" {
		if in.arg, err = readAll(stdin, "standard input", maxArgument); err != nil {
			return nil, err
		}
	}
	for i := range c.fields {
		if c.fields[i].data, err = readFile(c.fields[i].file); err != nil {
			return nil, err
		}
	}
	switch c.body {
	case "":
	case "-":
		in.body, err = readAll(stdin, "standard input", call.MaxBody)
	default:
		in.body, err = readFile(c.body)
	}
	return in, err
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path, call.MaxBody)
}

func readAll(r io.Reader, name string, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s has more than %d bytes, which is too much", name, most)
	}
	return data, err
}

// fill puts the files into the argument. JSON that is broken is left as it is: the call
// will say where.
func (c *caller) fill(cmd *cobra.Command, takes call.TypeDescription, arg []byte) ([]byte, error) {
	if len(c.fields) == 0 || len(strings.TrimSpace(string(arg))) > 0 && !json.Valid(arg) {
		return arg, nil
	}
	all := parseShape(takes.Signature)
	for i := range c.fields {
		f := &c.fields[i]
		value, err := f.json(all.at(f.path))
		if err == nil {
			arg, err = put(arg, f.path, value)
		}
		if err != nil {
			return nil, usagef(cmd, "--file %s=%s: %w", f.name(), f.file, err)
		}
	}
	return arg, nil
}

// json is the file as a value of that type. What is not known is taken for bytes: the
// call will say if it is none.
func (f *fileField) json(s *shape) (json.RawMessage, error) {
	switch {
	case !s.known(), s.isBytes():
		return json.RawMessage(`"` + base64.StdEncoding.EncodeToString(f.data) + `"`), nil
	case s.isBlock():
		if len(f.data) > s.size {
			return nil, fmt.Errorf("the file has %d bytes, the field has room for %d", len(f.data), s.size)
		}
		numbers := make([]int, len(f.data)) // a []byte would become base64
		for i, b := range f.data {
			numbers[i] = int(b)
		}
		return json.Marshal(numbers)
	case s.kind == "string":
		if !utf8.Valid(f.data) {
			return nil, errors.New("the field is a text, and the file is not UTF-8")
		}
		return json.Marshal(string(f.data))
	}
	return nil, errors.New("the field is neither bytes nor a text; --describe shows the fields")
}

// put sets a value in the JSON of an argument.
func put(text json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	empty := len(strings.TrimSpace(string(text))) == 0
	if len(path) == 0 {
		if !empty {
			return nil, errors.New("the argument is given already")
		}
		return value, nil
	}
	var all []jsonMember
	if !empty {
		var err error
		if all, err = members(text); err != nil {
			return nil, err
		}
	}
	at := -1
	for i := range all {
		if all[i].name == path[0] {
			at = i
		}
	}
	if at < 0 {
		at = len(all)
		all = append(all, jsonMember{name: path[0]})
	}
	m := &all[at]
	var err error
	if m.value, err = put(m.value, path[1:], value); err != nil {
		return nil, err
	}
	return join(all), nil
}

// jsonMember is a member of a JSON object. They are kept in order, and so are those that
// stand twice, which the call refuses.
type jsonMember struct {
	name  string
	value json.RawMessage
}

// members takes an object apart.
func members(text json.RawMessage) (all []jsonMember, err error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil, errors.New("what is to have the field is no object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := jsonMember{name: name.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func join(all []jsonMember) json.RawMessage {
	text := json.RawMessage{'{'}
	for i, m := range all {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, quoteJSON(m.name)...), ':'), m.value...)
	}
	return append(text, '}')
}
