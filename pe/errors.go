package pe

import (
	"errors"
	"fmt"
	"io"
)

var (
	// ErrFormat: this is not a PE file, or a part of it that was asked for is not
	// as it must be. The text says what, and where.
	ErrFormat = errors.New("pe: not a valid PE file")

	// ErrUnmapped: neither the headers nor a section are at that address.
	ErrUnmapped = errors.New("pe: address not mapped")
)

// malformed says what is wrong at an offset in the file.
func malformed(off int64, format string, args ...any) error {
	return fmt.Errorf("%w: at offset %#x: %s", ErrFormat, off, fmt.Sprintf(format, args...))
}

// malformedAt says what is wrong at an address in the image.
func malformedAt(rva uint32, format string, args ...any) error {
	return fmt.Errorf("%w: at address %#x: %s", ErrFormat, rva, fmt.Sprintf(format, args...))
}

// damaged wraps the error of reading a structure at an address. That the address is not
// mapped is the file's fault; the reader's own errors are not.
func damaged(what string, rva uint32, err error) error {
	if errors.Is(err, ErrUnmapped) || errors.Is(err, io.EOF) || errors.Is(err, errBudget) {
		return fmt.Errorf("%w: %s at address %#x: %w", ErrFormat, what, rva, err)
	}
	return fmt.Errorf("%s at address %#x: %w", what, rva, err)
}
