package fixed

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

const tooMany = "it has more than 65536 fields, counting those of every array element; use arrays of numbers instead of arrays of structs"

// A refusal says which member of a type has no fixed layout, and why.
type refusal struct {
	path string
	typ  reflect.Type
	why  string
}

func refuse(t reflect.Type, why string) *refusal {
	return &refusal{typ: t, why: why}
}

// below returns the refusal as seen from the type whose member name is.
func (r *refusal) below(name string) *refusal {
	r.path = join(name, r.path)
	return r
}

// of returns the error for the whole type t.
func (r *refusal) of(t reflect.Type) error {
	if r.path == "" {
		return fmt.Errorf("%w: %v: %s", ErrNotFixed, r.typ, r.why)
	}
	return fmt.Errorf("%w: %v: field %s (%v): %s", ErrNotFixed, t, r.path, r.typ, r.why)
}

// advice says why a kind is refused and what to use instead.
func advice(k reflect.Kind) string {
	switch k {
	case reflect.Pointer, reflect.UnsafePointer:
		return "a pointer means nothing in another process; use the value itself, or an index"
	case reflect.String:
		return "a string points outside the value; use [n]byte and a length"
	case reflect.Slice:
		return "a slice points outside the value; use an array and a length"
	case reflect.Map:
		return "a map points outside the value; use an array of structs with key and value"
	case reflect.Chan:
		return "a channel belongs to one process; leave it out"
	case reflect.Func:
		return "a function belongs to one process; leave it out, or use a number that stands for it"
	case reflect.Interface:
		return "an interface points outside the value; use one fixed-layout type"
	case reflect.Int:
		return "its size differs between processes; use int32 or int64"
	case reflect.Uint, reflect.Uintptr:
		return "its size differs between processes; use uint32 or uint64"
	}
	return "it has no fixed layout; leave it out"
}

// special says why a type is refused whatever its fields are, or "".
func special(t reflect.Type) string {
	switch t.PkgPath() {
	case "sync/atomic":
		switch t.Name() {
		case "Bool", "Int32", "Int64", "Uint32", "Uint64":
			return "an atomic must not be copied; use " + strings.ToLower(t.Name())
		}
		return "an atomic must not be copied; leave it out"
	case "sync":
		return "the types of package sync must not be copied; leave it out"
	case "time":
		if t.Name() == "Time" {
			return "a time holds a pointer to its zone; use int64 with UnixNano"
		}
	}
	return ""
}

var locker = reflect.TypeFor[sync.Locker]()

// isLock reports whether t is a lock or the customary marker of a type that
// must not be copied: the types for which go vet reports a copy.
func isLock(t reflect.Type) bool {
	return t.Name() != "" && reflect.PointerTo(t).Implements(locker)
}
