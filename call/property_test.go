//go:build linux || windows

package call

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/partywall/partywall/internal/proctest"
)

func init() { RegisterRole("echo types", echoTypes) }

// echoTypes serves, for each line that names a service and types, methods m0, m1, ...
// that decode an argument of the type and return it.
func echoTypes([]string) error {
	var srv *Server
	served := make(chan error, 1)
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if srv != nil {
			if err := srv.Close(); err != nil {
				return err
			}
			if err := <-served; err != nil {
				return err
			}
		}
		if err != nil {
			return nil // the test has ended
		}
		name, text, _ := strings.Cut(line, " ")
		var types []*typeSpec
		if err := json.Unmarshal([]byte(text), &types); err != nil {
			return err
		}
		if srv, err = Listen(name); err != nil {
			return err
		}
		for i, spec := range types {
			m, err := methodOf(i, spec.goType())
			if err != nil {
				return err
			}
			srv.handle(m, echoOf(m, spec.goType()))
		}
		go func() { served <- srv.Serve(context.Background()) }()
		fmt.Println("serving")
	}
}

func methodOf(i int, t reflect.Type) (*core, error) {
	c := &core{name: fmt.Sprintf("m%d", i), index: int(methods.Add(1)) - 1}
	var err error
	c.arg, err = formOf(t)
	c.result = c.arg
	return c, err
}

// echoOf is what Method.Handle makes of a handler, for a type known at run time.
func echoOf(m *core, t reflect.Type) func(context.Context, *task) error {
	return func(_ context.Context, task *task) error {
		v := reflect.New(t)
		if err := decodeInto(&m.arg, bytes.Clone(task.arg), v); err != nil {
			return err
		}
		data, err := encodeFrom(&m.result, v)
		if err != nil {
			return err
		}
		return task.setResult(data)
	}
}

func decodeInto(f *form, data []byte, v reflect.Value) error {
	if f.kind == fixedForm {
		f.fixed.Receive(bytesOf(v, f.size), data)
		return nil
	}
	return f.unmarshal(data, v.Interface())
}

func encodeFrom(f *form, v reflect.Value) ([]byte, error) {
	if f.kind == fixedForm {
		data := make([]byte, f.size)
		f.fixed.Publish(data, bytesOf(v, f.size))
		return data, nil
	}
	return f.marshal(v.Elem().Interface())
}

// What goes in comes out equal, whatever its type, through a process of its own.
func TestAnyTypeAnyValue(t *testing.T) {
	leaks := proctest.Watch(t)
	server := proctest.Start(t, "echo types")
	service, forms := 0, map[formKind]int{}
	rapid.Check(t, func(r *rapid.T) {
		var types []*typeSpec
		for range 6 {
			types = append(types, drawType(r, rapid.Bool().Draw(r, "fixed"), 3))
		}
		text, err := json.Marshal(types)
		if err != nil {
			r.Fatal(err)
		}
		service++
		name := fmt.Sprintf("types.%d", service)
		server.Say("%s %s", name, text)
		server.Expect("serving")
		ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
		defer cancel()
		c, err := Dial(ctx, name)
		if err != nil {
			r.Fatal(err)
		}
		defer c.Close()
		for i, spec := range types {
			m, err := methodOf(i, spec.goType())
			if err != nil {
				r.Fatalf("%v: %v", spec.goType(), err)
			}
			forms[m.arg.kind]++
			remote, err := c.resolve(ctx, m)
			if err != nil {
				r.Fatal(err)
			}
			for range 4 {
				sent, got := reflect.New(spec.goType()), reflect.New(spec.goType())
				drawValue(r, sent.Elem(), false)
				if m.arg.kind == bytesForm && sent.Elem().IsNil() {
					sent.Elem().SetBytes([]byte{}) // which is how nil arrives
				}
				data, err := encodeFrom(&m.arg, sent)
				if err != nil {
					r.Fatalf("%v: %v", spec.goType(), err)
				}
				answer, _, err := (&Dynamic{c, remote}).once(ctx, &parcel{data: data, argLen: len(data)})
				if err == nil {
					err = decodeInto(&m.result, answer, got)
				}
				if err != nil {
					r.Fatalf("%v: %v", spec.goType(), err)
				}
				if d := cmp.Diff(sent.Elem().Interface(), got.Elem().Interface(), cmpopts.EquateNaNs()); d != "" {
					r.Fatalf("%v: %s", spec.goType(), d)
				}
			}
		}
	})
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
	leaks.Check()
	t.Logf("types by form: %d fixed, %d documents, %d bytes", forms[fixedForm], forms[documentForm], forms[bytesForm])
	if forms[fixedForm] == 0 || forms[documentForm] == 0 {
		t.Error("a form was never met")
	}
}
