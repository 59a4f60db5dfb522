package pe

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/region"
)

// An Image is a module of this process: its own program, or a library that it has loaded.
//
//	image, err := pe.Self()
//	if err != nil {
//		return err
//	}
//	counter, err := image.Section("Counter") // which AddSection has added
//	if err != nil {
//		return err
//	}
//	n, err := pe.View[atomic.Uint64](counter, 0)
//	if err != nil {
//		return err
//	}
//	fmt.Println("instances that were ever started:", n.Add(1))
//
// Its methods may be called concurrently.
type Image struct {
	// File is what the headers say, as they are in memory.
	File *File

	base    uintptr
	library bool // ours to free
	closed  atomic.Bool
}

// ErrNotShared: the section is this process's own.
var ErrNotShared = errors.New("pe: section is not shared")

// LoadShared loads a library into this process, for its shared sections. It shares them
// with the processes of the same session that load the same file: another path to the file
// is the same, a copy is not.
//
// The library's code runs, if it has an entry point, so it has to be one that the program
// trusts. The libraries that it needs are looked for in its own directory and where
// the system has its own.
//
// Only Windows has such libraries. On other systems the error wraps
// partywall.ErrNotSupported.
func LoadShared(path string) (*Image, error) {
	base, err := loadLibrary(path)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	f, err := Loaded(base)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load %s: %w", path, err), freeLibrary(base))
	}
	return &Image{File: f, base: base, library: true}, nil
}

// Self returns the program that this process runs.
//
// Only Windows has such programs. On other systems the error wraps
// partywall.ErrNotSupported.
func Self() (*Image, error) {
	base, err := program()
	if err != nil {
		return nil, fmt.Errorf("this program's image: %w", err)
	}
	f, err := Loaded(base)
	if err != nil {
		return nil, fmt.Errorf("this program's image: %w", err)
	}
	return &Image{File: f, base: base}, nil
}

// Close frees a library that [LoadShared] has loaded. When nothing else in this process
// has it loaded, its memory goes: nobody may use a Mapped of this Image, its bytes, or a
// [View] of them, any more. When no process has it loaded, the next one finds the initial
// values. The program itself stays. Close is idempotent.
func (m *Image) Close() error {
	if m.closed.Swap(true) || !m.library {
		return nil
	}
	return freeLibrary(m.base)
}

// Section returns the memory of a shared section. One that is not shared is an error that
// wraps [ErrNotShared]; one that is not there wraps [ErrNoSection].
func (m *Image) Section(name string) (*Mapped, error) {
	mapped, err := m.AnySection(name)
	if err != nil {
		return nil, err
	}
	if !mapped.Shared() {
		return nil, fmt.Errorf("%w: %s, flags %s; what is written there no other process sees", ErrNotShared, printable(name), mapped.flags)
	}
	return mapped, nil
}

// AnySection returns the memory of a section whether it is shared or not.
func (m *Image) AnySection(name string) (*Mapped, error) {
	if m.closed.Load() {
		return nil, fmt.Errorf("section %s: %w", printable(name), os.ErrClosed)
	}
	i, err := m.File.sectionIndex(name)
	if err != nil {
		return nil, err
	}
	s := &m.File.Sections[i]
	size := s.virtualSize()
	if end := int64(s.VirtualAddress) + int64(size); size == 0 || end > m.File.Size {
		return nil, malformed(int64(s.VirtualAddress), "section %s of %d bytes; the image has %d altogether", printable(name), size, m.File.Size)
	}
	data, err := mappedBytes(m.base+uintptr(s.VirtualAddress), int(size))
	if err != nil {
		return nil, fmt.Errorf("section %s: %w", printable(name), err)
	}
	// Windows shares pages. An image whose sections have none of their own is private as a whole.
	own := m.File.Optional.SectionAlignment >= pageSize && s.VirtualAddress%pageSize == 0
	return &Mapped{data: data, flags: s.Flags, own: own}, nil
}

// Mapped is a section in the memory of this process.
//
// If it is shared, what is in it is input, to be checked like any other: whoever may open
// the file can write there, at any moment. Loads and stores that other processes are to see
// whole and in order have to be atomic, see [View].
type Mapped struct {
	data  []byte
	flags SectionFlags
	own   bool // it has pages of its own
}

// Bytes returns the memory of the section itself, no copy. To write where Flags have no
// [Write] is a fault.
func (m *Mapped) Bytes() []byte { return m.data }

// Flags returns what the header says of the section.
func (m *Mapped) Flags() SectionFlags { return m.flags }

// Shared reports whether other processes see what is written there.
func (m *Mapped) Shared() bool { return m.own && m.flags.Has(Shared) }

// View returns the T that lies at an offset of a section, in place. T is
//
//   - one of [atomic.Int32], [atomic.Int64], [atomic.Uint32] and [atomic.Uint64], which
//     fits what several processes read and write;
//   - a number whose size its name says, of at most 8 bytes;
//   - an array or a struct of such numbers, without padding. It is no whole: others see
//     each number change by itself.
//
// bool is none of them: another process can write what is neither true nor false. The
// offset has to be aligned for the largest of the numbers, by its size, on every machine.
//
// The view must not be used any more when the Image is closed.
func View[T any](m *Mapped, offset int) (*T, error) {
	size, unit, err := viewable[T]()
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	if offset < 0 || offset > len(m.data)-size {
		return nil, fmt.Errorf("view: %T at offset %d has %d bytes; the section has %d", *new(T), offset, size, len(m.data))
	}
	if offset%unit != 0 || !m.own && unit > 1 {
		return nil, fmt.Errorf("view: %T at offset %d; it has to be a multiple of %d, in a section with pages of its own", *new(T), offset, unit)
	}
	return region.At[T](m.data, offset), nil
}

// viewable returns the size of a type, and that of its largest number.
func viewable[T any]() (size, unit int, err error) {
	switch any((*T)(nil)).(type) {
	case *atomic.Int32, *atomic.Uint32:
		return 4, 4, nil
	case *atomic.Int64, *atomic.Uint64:
		return 8, 8, nil
	}
	t, err := fixed.Of[T]()
	if err != nil {
		return 0, 0, err
	}
	covered := 0
	for _, f := range t.Schema().Fields {
		what := f.Path
		if what == "" {
			what = "it"
		}
		switch {
		case f.Kind == fixed.Bool:
			return 0, 0, fmt.Errorf("%v: %s is a bool, which another process can make neither true nor false; use uint8", t, what)
		case f.Size > 8:
			return 0, 0, fmt.Errorf("%v: %s has %d bytes; numbers of at most 8 can be read and written whole", t, what, f.Size)
		}
		unit = max(unit, int(f.Size))
		covered += int(f.Size * f.Count)
	}
	switch {
	case covered == 0:
		return 0, 0, fmt.Errorf("%v: it has no bytes", t)
	case covered != t.Size():
		return 0, 0, fmt.Errorf("%v: it has %d bytes of padding, where other compilers may have none; give them names", t, t.Size()-covered)
	}
	return t.Size(), unit, nil
}
