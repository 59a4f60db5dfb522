package call

import (
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/partywall/partywall"
)

// A Method is one operation of a service: its name, and the types of its
// argument and its result. Make one with [NewMethod] as a package variable that
// client and server share. It is immutable and may be used concurrently.
type Method[A, R any] struct{ core }

// core is what a method is without its types.
type core struct {
	name    string
	index   int // among the methods of this process, for a conn's table
	inPlace bool
	arg     form
	result  form
}

var methods atomic.Int32

// AnyMethod is any [Method] or [InPlace], whatever its types.
type AnyMethod interface{ method() *core }

func (c *core) method() *core { return c }

// Name returns the method's name.
func (c *core) Name() string { return c.name }

// NewMethod returns the method of that name, whose argument and result travel in
// one of three forms each, by their types:
//
//   - a fixed layout, that is numbers of a stated size, bools, arrays and structs
//     of those, of at most 65,536 bytes, is copied as it is: the fastest;
//   - a []byte too, up to [MaxBody] bytes, though [Method.CallBody] copies less; nil
//     arrives empty;
//   - any other value is encoded as a CBOR document of at most 64 MiB: strings,
//     slices, maps, pointers, ints, times, structs of those, larger arrays of numbers,
//     and what is an [encoding.TextMarshaler] and [encoding.TextUnmarshaler]. Fields
//     that are not exported stay behind; a type that is a document only because it is
//     large must have none. The tags are those of encoding/json, or `cbor`.
//
// Client and server have to agree. Fixed layouts must be the same. Documents may
// differ in fields that are tagged omitempty or omitzero, which is how a service
// grows while old clients run; a struct with such a tag is a document even if its
// layout is fixed.
//
// NewMethod panics if a type has no form, or if the name breaks the rule of
// [partywall.CheckName] or begins with "partywall/", which is reserved.
func NewMethod[A, R any](name string) *Method[A, R] {
	c, err := newCore[A, R](name, formOf)
	if err != nil {
		panic("call.NewMethod " + err.Error())
	}
	return &Method[A, R]{c}
}

// reserved begins the names of the methods that every service has.
const reserved = "partywall/"

func newCore[A, R any](name string, formOf func(reflect.Type) (form, error)) (core, error) {
	if err := partywall.CheckName(name); err != nil {
		return core{}, fmt.Errorf("%q: %w", name, err)
	}
	if strings.HasPrefix(name, reserved) {
		return core{}, fmt.Errorf("%q: names that begin with %q are reserved", name, reserved)
	}
	return newReserved[A, R](name, formOf)
}

func newReserved[A, R any](name string, formOf func(reflect.Type) (form, error)) (core, error) {
	c := core{name: name, index: int(methods.Add(1)) - 1}
	var err error
	if c.arg, err = formOf(reflect.TypeFor[A]()); err != nil {
		return core{}, fmt.Errorf("%q: argument: %w", name, err)
	}
	if c.result, err = formOf(reflect.TypeFor[R]()); err != nil {
		return core{}, fmt.Errorf("%q: result: %w", name, err)
	}
	return c, nil
}
