package pe

import (
	"encoding/binary"
	"errors"
	"io"
)

var errBudget = errors.New("it is scattered over too many places")

// A window reads small structures at offsets or addresses, a few KiB at a time. One call of
// a method has one, or several that share the count of their reads.
type window struct {
	// read reads at least want bytes at an offset if they are there, and then as many as
	// come cheaply. It returns an error if there are fewer than want.
	read  func(b []byte, off int64, want int) (int, error)
	reads *int
	base  int64
	have  []byte // at base
	buf   []byte
}

// offsets returns a window on the file.
func offsets(r io.ReaderAt, size int64) *window {
	return &window{reads: new(int), read: func(b []byte, off int64, want int) (int, error) {
		b = b[:min(int64(len(b)), max(0, size-off))]
		n, err := r.ReadAt(b, off)
		switch {
		case n >= want:
			return n, nil
		case err == nil || errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}}
}

// addresses returns a window on the image.
func (f *File) addresses() *window {
	return &window{reads: new(int), read: func(b []byte, off int64, want int) (int, error) {
		n := 0
		for n < want {
			m, err := f.readSpan(b[n:], uint64(off)+uint64(n))
			if n += m; err != nil && n < want {
				return n, err
			}
		}
		return n, nil
	}}
}

// another returns a window on the same, which shares the count of reads.
func (w *window) another() *window { return &window{read: w.read, reads: w.reads} }

// at returns n bytes, at most maxWindow, which stay as they are until the next call.
func (w *window) at(off int64, n int) ([]byte, error) {
	if b := w.cached(off); len(b) >= n {
		return b[:n], nil
	}
	if *w.reads++; *w.reads > maxReads {
		return nil, errBudget
	}
	if size := max(n, windowSize); cap(w.buf) < size {
		w.buf = make([]byte, size)
	}
	b := w.buf[:max(n, windowSize)]
	got, err := w.read(b, off, n)
	w.base, w.have = off, b[:got]
	if err != nil {
		return nil, err
	}
	return b[:n], nil
}

func (w *window) cached(off int64) []byte {
	if off < w.base || off-w.base > int64(len(w.have)) {
		return nil
	}
	return w.have[off-w.base:]
}

func (w *window) uint16(off int64) (uint16, error) {
	b, err := w.at(off, 2)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint16(b), nil
}

func (w *window) uint32(off int64) (uint32, error) {
	b, err := w.at(off, 4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}
