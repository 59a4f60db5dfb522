package procmem

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/partywall/partywall"
)

// A Block is memory inside another process that this process owns. Its methods
// may be called concurrently, with Close too. Their errors are those of a
// [Process].
//
// It needs no open Process. A Block that is forgotten without Close or
// [Block.Abandon] lets go of what it holds here, but its memory stays until the other
// process ends: that process may be using it.
type Block struct {
	address uintptr
	size    int
	pid     int

	mu      sync.RWMutex
	target  *target // nil once closed
	cleanup runtime.Cleanup
}

func (t *target) newBlock(size int) (*Block, error) {
	if size <= 0 {
		return nil, fmt.Errorf("allocate %d bytes in process %d: a block has at least 1 byte", size, t.pid)
	}
	address, err := t.alloc(size)
	if err != nil {
		return nil, t.fail(err, fmt.Sprintf("allocate %d bytes in process %d", size, t.pid))
	}
	t.refs.Add(1)
	b := &Block{address: address, size: size, pid: t.pid, target: t}
	b.cleanup = runtime.AddCleanup(b, func(t *target) { _ = t.release() }, t)
	return b, nil
}

// Address returns where the block lies in the other process.
func (b *Block) Address() uintptr { return b.address }

// Size returns the size that was asked for, in bytes.
func (b *Block) Size() int { return b.size }

// ReadAt reads into p from an offset in the block, as [io.ReaderAt] says: at the
// block's end it returns [io.EOF].
func (b *Block) ReadAt(p []byte, off int64) (n int, err error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if err := b.check(off); err != nil {
		return 0, err
	}
	if off >= int64(b.size) {
		return 0, io.EOF
	}
	end := io.EOF
	if room := int64(b.size) - off; int64(len(p)) > room {
		p = p[:room]
	} else {
		end = nil
	}
	if n, err = b.target.transfer(reading, p, int64(b.address)+off); err != nil {
		return n, b.ending(err)
	}
	return n, end
}

// WriteAt writes p at an offset in the block. What goes over the block's end is
// not written, and the error wraps [io.ErrShortWrite].
func (b *Block) WriteAt(p []byte, off int64) (n int, err error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if err := b.check(off); err != nil {
		return 0, err
	}
	whole := len(p)
	p = p[:min(int64(whole), max(0, int64(b.size)-off))]
	if n, err = b.target.transfer(writing, p, int64(b.address)+off); err != nil {
		return n, b.ending(err)
	}
	if n < whole {
		return n, fmt.Errorf("write %d bytes at %d of the block of %d bytes in process %d: %w",
			whole, off, b.size, b.pid, io.ErrShortWrite)
	}
	return n, nil
}

// ending explains an error of a transfer. A block whose memory is not there belongs to a
// process that is ending, unless that has freed it.
func (b *Block) ending(err error) error {
	if !errors.Is(err, ErrUnmapped) {
		return err
	}
	if b.target.awaitEnd(); b.target.ended() {
		return fmt.Errorf("%w: process %d has ended: %w", partywall.ErrPeerGone, b.pid, err)
	}
	return err
}

// Close frees the memory (VirtualFreeEx), after the reads and writes that are
// running. It is idempotent. If the process has ended, so has its memory, and that
// is no error.
//
//   - The other process must not use the block any more: another allocation may get
//     its addresses. If it may, see [Block.Abandon].
func (b *Block) Close() error {
	return b.end(func(t *target) error {
		if err := t.free(b.address); err != nil && !t.ended() {
			return t.fail(err, fmt.Sprintf("free %d bytes at %#x of process %d", b.size, b.address, b.pid))
		}
		return nil
	})
}

// Abandon gives the block up without freeing it: for memory that the other process
// may still write to, as when it hangs. The memory stays until that process ends.
// It is idempotent, and does nothing to a block that is closed.
func (b *Block) Abandon() error {
	return b.end(func(*target) error { return nil })
}

func (b *Block) end(last func(*target) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.target
	if t == nil {
		return nil
	}
	b.target = nil
	b.cleanup.Stop()
	return errors.Join(last(t), t.release())
}

func (b *Block) check(off int64) error {
	if b.target == nil {
		return fmt.Errorf("block of %d bytes in process %d: %w", b.size, b.pid, os.ErrClosed)
	}
	if off < 0 {
		return fmt.Errorf("block of %d bytes in process %d: the offset %d is negative", b.size, b.pid, off)
	}
	return nil
}
