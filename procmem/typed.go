package procmem

import (
	"fmt"
	"io"

	"github.com/partywall/partywall/internal/fixed"
)

// Load reads the value at an address of a [Process], or at an offset in a [Block].
// Any byte but 0 is a true bool; every other field takes any bytes. If the value is
// not there as a whole, the error wraps [io.ErrUnexpectedEOF] or what r returned.
//
//   - T must have a fixed layout: bool, the numbers whose size stands in their name,
//     and arrays and structs of them. It panics otherwise, and says which field it was.
func Load[T any](r io.ReaderAt, address int64) (T, error) {
	typ := layout[T]("Load")
	var v, zero T
	b := fixed.Bytes(&v)
	n, err := r.ReadAt(b, address)
	if n < len(b) {
		if err == nil || (err == io.EOF && n > 0) {
			err = io.ErrUnexpectedEOF
		}
		return zero, fmt.Errorf("load %v at %#x: %w", typ, address, err)
	}
	typ.Receive(b, b)
	return v, nil
}

// Store writes v at an address of a [Process], or at an offset in a [Block]. Padding
// is written as zeros.
//
//   - T must have a fixed layout, as for [Load]. It panics otherwise.
func Store[T any](w io.WriterAt, address int64, v T) error {
	typ := layout[T]("Store")
	b := make([]byte, typ.Size())
	typ.Publish(b, fixed.Bytes(&v))
	n, err := w.WriteAt(b, address)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("store %v at %#x: %w", typ, address, err)
	}
	return nil
}

func layout[T any](op string) *fixed.Type {
	typ, err := fixed.Of[T]()
	if err != nil {
		panic(fmt.Sprintf("procmem: %s: %v", op, err))
	}
	return typ
}
