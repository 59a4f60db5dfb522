package fixed

import (
	"reflect"
	"strconv"
)

// Kind is the kind of a basic value. The numbers stand in encoded schemas, so
// they never change their meaning; zero is no kind.
type Kind uint8

// The kinds that have the same size in every process.
const (
	Bool       Kind = 1
	Int8       Kind = 2
	Int16      Kind = 3
	Int32      Kind = 4
	Int64      Kind = 5
	Uint8      Kind = 6
	Uint16     Kind = 7
	Uint32     Kind = 8
	Uint64     Kind = 9
	Float32    Kind = 10
	Float64    Kind = 11
	Complex64  Kind = 12
	Complex128 Kind = 13
)

var kinds = [...]struct {
	name string
	size uint32
	kind reflect.Kind
}{
	Bool:       {"bool", 1, reflect.Bool},
	Int8:       {"int8", 1, reflect.Int8},
	Int16:      {"int16", 2, reflect.Int16},
	Int32:      {"int32", 4, reflect.Int32},
	Int64:      {"int64", 8, reflect.Int64},
	Uint8:      {"uint8", 1, reflect.Uint8},
	Uint16:     {"uint16", 2, reflect.Uint16},
	Uint32:     {"uint32", 4, reflect.Uint32},
	Uint64:     {"uint64", 8, reflect.Uint64},
	Float32:    {"float32", 4, reflect.Float32},
	Float64:    {"float64", 8, reflect.Float64},
	Complex64:  {"complex64", 8, reflect.Complex64},
	Complex128: {"complex128", 16, reflect.Complex128},
}

// String returns the kind's name in Go, or "kind(n)" if there is no such kind.
func (k Kind) String() string {
	if k.Size() == 0 {
		return "kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kinds[k].name
}

// Size returns the bytes that a value of the kind takes, or 0 if there is no
// such kind.
func (k Kind) Size() uint32 {
	if int(k) >= len(kinds) {
		return 0
	}
	return kinds[k].size
}

// align returns the alignment in bytes that a value of the kind has where none is
// prescribed: that of Go on a 64-bit machine, on every machine.
func (k Kind) align() uint32 {
	switch k {
	case Complex64, Complex128:
		return k.Size() / 2
	}
	return k.Size()
}

// kindOf returns the Kind of k, or 0 if k is not a fixed basic kind.
func kindOf(k reflect.Kind) Kind {
	for i := range kinds {
		if kinds[i].kind == k && kinds[i].size != 0 {
			return Kind(i)
		}
	}
	return 0
}
