// Package region creates, seals, checks and maps memory that two processes
// share.
//
// A region has no name and a fixed size. The process that creates it hands its
// descriptor to the other, which verifies with [Accept] that the memory cannot
// be taken away from under it: a sealed memfd on Linux. What the bytes mean is
// the business of the packages above; they reach words in it through [At].
package region

import (
	"fmt"
	"os"
	"sync"

	"github.com/partywall/partywall"
)

// MaxSize is the largest region in bytes: 4 GiB on 64-bit systems.
const MaxSize = 4 << 30

// A Region is mapped shared memory. Its owner calls Close once nobody uses the
// bytes any more. There is no finalizer beneath: slices of the memory do not
// keep the Region alive, so one could unmap memory in use.
type Region struct {
	mu       sync.Mutex
	mem      []byte
	file     *os.File
	borrowed bool // somebody else's memory, which is not unmapped
}

// Fill says whether a new region's memory is allocated now or at first touch.
type Fill bool

const (
	// Sparse leaves each page to its first touch. A memfd lies on a mount
	// without a size limit, so a touch cannot fail for lack of file space.
	Sparse Fill = false
	// Filled allocates all pages at once, so that a lack of memory is an error
	// here.
	Filled Fill = true
)

// Create makes a region of size bytes, which must be a positive multiple of the
// page size, seals its size, and maps it. The label shows in /proc/PID/maps.
// The error wraps [partywall.ErrTooLarge] above [MaxSize], or the system's own.
func Create(label string, size int64, fill Fill) (*Region, error) {
	if err := checkSize(size); err != nil {
		return nil, fmt.Errorf("create region %s: %w", label, err)
	}
	file, err := create(label, size, fill)
	if err != nil {
		return nil, fmt.Errorf("create region %s of %d bytes: %w", label, size, err)
	}
	mem, err := mapShared(file, int(size))
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("map region %s of %d bytes: %w", label, size, err)
	}
	return &Region{mem: mem, file: file}, nil
}

// Accept verifies and maps a region that a peer made: it must be memory of the
// kind that Create makes, of exactly size bytes, which can neither shrink nor
// grow. Accept takes over file and closes it. The error wraps
// [partywall.ErrProtocol] if the peer broke these rules.
func Accept(file *os.File, size int64) (*Region, error) {
	defer file.Close()
	if err := checkSize(size); err != nil {
		return nil, fmt.Errorf("%w: region: %w", partywall.ErrProtocol, err)
	}
	if err := verify(file, size); err != nil {
		return nil, err
	}
	mem, err := mapShared(file, int(size))
	if err != nil {
		return nil, fmt.Errorf("map a peer's region of %d bytes: %w", size, err)
	}
	return &Region{mem: mem}, nil
}

// MapFile maps the first size bytes of a plain file, which must be a positive multiple of
// the page size. A file can be made shorter by whoever may write it, and a touch beyond
// its end is a fault then: see [runtime/debug.SetPanicOnFault]. It leaves file to the caller.
func MapFile(file *os.File, size int64, readOnly bool) (*Region, error) {
	if err := checkSize(size); err != nil {
		return nil, fmt.Errorf("map %s: %w", file.Name(), err)
	}
	mem, err := mapFile(file, int(size), readOnly)
	if err != nil {
		return nil, fmt.Errorf("map %s of %d bytes: %w", file.Name(), size, err)
	}
	return &Region{mem: mem}, nil
}

// Borrow returns a region of memory that somebody else has mapped, and unmaps.
func Borrow(mem []byte) *Region { return &Region{mem: mem, borrowed: true} }

func checkSize(size int64) error {
	if size <= 0 || size%int64(os.Getpagesize()) != 0 {
		return fmt.Errorf("%d bytes is not a positive multiple of the page size, %d", size, os.Getpagesize())
	}
	if size > MaxSize || int64(int(size)) != size {
		return fmt.Errorf("%w: %d bytes exceed the limit of %d", partywall.ErrTooLarge, size, int64(MaxSize))
	}
	return nil
}

// Bytes returns the mapped memory. It must not be touched after Close.
func (r *Region) Bytes() []byte { return r.mem }

// Size returns the region's size in bytes.
func (r *Region) Size() int64 { return int64(len(r.mem)) }

// File returns the descriptor to hand to the peer, nil once [Region.CloseFile]
// or Close has run and in an accepted region.
func (r *Region) File() *os.File { return r.file }

// CloseFile closes the descriptor and keeps the mapping.
func (r *Region) CloseFile() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// Detach unmaps the memory and returns the descriptor, which is the caller's from then on.
func (r *Region) Detach() *os.File {
	r.mu.Lock()
	file := r.file
	r.file = nil
	r.mu.Unlock()
	_ = r.Close()
	return file
}

// Close unmaps the memory. It is idempotent.
func (r *Region) Close() error {
	r.CloseFile()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mem == nil {
		return nil
	}
	mem := r.mem
	r.mem = nil
	if r.borrowed {
		return nil
	}
	if err := unmap(mem); err != nil {
		return fmt.Errorf("unmap region of %d bytes: %w", len(mem), err)
	}
	return nil
}
