package winmsg

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/partywall/partywall/procmem"
)

// memory is what this process has in a window's process: a handle and a block, made at
// first use and kept for the next. One request at a time has it; a request whose
// sender has given up has it until the window has let go of the message. So nothing is ever
// written, or freed, that the window may still use, and a hung window is sent one request and no
// more.
type memory struct {
	pid  int
	turn chan struct{} // holds a token while nobody has the memory

	// These belong to whoever has the turn.
	process *procmem.Process
	block   *procmem.Block

	once   sync.Once
	closed chan struct{}
}

func newMemory(pid int) *memory {
	m := &memory{pid: pid, turn: make(chan struct{}, 1), closed: make(chan struct{})}
	m.turn <- struct{}{}
	return m
}

// counts are what all memories have done, for a test.
var counts struct{ opened, allocated, freed atomic.Int64 }

// smallest is a block's least size: a page, which is what the system gives anyway.
const smallest = 4096

// claim waits for the turn and returns a block of at least size bytes. Who has claimed it
// releases it.
func (m *memory) claim(ctx context.Context, size int) (*procmem.Block, error) {
	select {
	case <-m.turn:
	default:
		select {
		case <-m.turn:
		case <-m.closed:
			return nil, os.ErrClosed
		case <-ctx.Done():
			return nil, fmt.Errorf("an earlier request is not answered: %w", ctx.Err())
		}
	}
	block, err := m.provide(size)
	if err != nil {
		m.release()
		return nil, err
	}
	return block, nil
}

// provide makes what is not there.
func (m *memory) provide(size int) (*procmem.Block, error) {
	if m.isClosed() {
		return nil, os.ErrClosed
	}
	if m.block != nil && m.block.Size() >= size {
		return m.block, nil
	}
	if m.process == nil {
		p, err := procmem.Open(m.pid)
		if err != nil {
			return nil, err
		}
		m.process = p
		counts.opened.Add(1)
	}
	if m.block != nil {
		m.block.Close()
		m.block = nil
		counts.freed.Add(1)
	}
	block, err := m.process.Alloc(roundUp(size))
	if err != nil {
		return nil, err
	}
	counts.allocated.Add(1)
	m.block = block
	return block, nil
}

// roundUp returns a size for which a block is made: requests that grow little by little
// do not make a new one each time.
func roundUp(size int) int {
	n := smallest
	for n < size && n < 1<<30 {
		n *= 2
	}
	return max(n, size)
}

// release gives the turn back.
func (m *memory) release() {
	m.turn <- struct{}{}
	m.freeIfClosed()
}

// close frees the memory now, or when it is released.
func (m *memory) close() error {
	m.once.Do(func() { close(m.closed) })
	return m.freeIfClosed()
}

func (m *memory) freeIfClosed() error {
	if !m.isClosed() {
		return nil
	}
	select {
	case <-m.turn:
		err := m.free()
		m.turn <- struct{}{}
		return err
	default:
		return nil // whoever has the turn comes here when it is released
	}
}

func (m *memory) isClosed() bool {
	select {
	case <-m.closed:
		return true
	default:
		return false
	}
}

// free frees everything; the caller has the turn.
func (m *memory) free() (err error) {
	if m.block != nil {
		err = m.block.Close()
		m.block = nil
		counts.freed.Add(1)
	}
	if m.process != nil {
		m.process.Close()
		m.process = nil
	}
	return err
}
