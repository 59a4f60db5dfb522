// Package procmem reads and writes the memory of another process, and of this
// one where a plain access could fault.
//
//	p, err := procmem.Open(pid)
//	if err != nil {
//		return err
//	}
//	defer p.Close()
//	n, err := p.ReadAt(buf, address)
//	size, err := procmem.Load[uint32](p, address+8)
//
// A [Process] is an [io.ReaderAt] and an [io.WriterAt] whose offsets are
// addresses. [Process.Alloc] makes a [Block], memory in the other process that
// this process owns; [Process.Regions] lists what is mapped there. [Load] and
// [Store] move values of fixed layout.
//
// What the other process has in its memory can change at any moment, also while
// it is read: a read is one copy and no snapshot. Read once, check the copy, and use
// the copy.
//
// # Which process
//
// Process ids are used again. On Windows the handle is the process, and nothing
// more is needed. Linux moves memory by process id, so a Process holds a pidfd
// besides. Each read is followed by the question whether the process still runs:
// if it does, the id was its own until then, and the bytes are its bytes. Each write
// is preceded by that question. That leaves a write open to a process that ends
// between the two system calls and whose id is given to another at once, after all
// the other ids have had their turn.
//
// A process that runs another program in its place (execve) is the same process
// with other memory.
//
// # Access
//
// Linux allows it for a process of the same user, unless Yama restricts it
// further (/proc/sys/kernel/yama/ptrace_scope), and for root. Windows allows it for
// a process of the same user that does not run at a higher integrity level.
// Windows lets a write through to code that is not writable, as debuggers need;
// a write to data that is not writable fails on both.
//
// A 32-bit process reaches 32-bit addresses only.
package procmem

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/partywall/partywall"
)

// ErrUnmapped: reading or writing stopped at memory that is not there, or that
// the process itself may not read or write. The text has the address.
var ErrUnmapped = errors.New("procmem: address not mapped")

// A Process is another process whose memory this one may use. Its methods may be
// called concurrently, with Close too.
//
// Their errors name the process id and wrap
//
//   - [ErrUnmapped] if memory is not there,
//   - [partywall.ErrPeerGone] if the process has ended,
//   - [partywall.ErrAccess] if the system denies it,
//   - [partywall.ErrNotSupported] if the system cannot do it,
//   - [os.ErrClosed] after Close.
type Process struct {
	pid    int
	myself bool

	mu      sync.RWMutex
	target  *target // nil once closed
	cleanup runtime.Cleanup
}

// Open opens a process for reading and writing its memory. The error wraps
// [partywall.ErrNotFound] if there is no such process or it has ended,
// [partywall.ErrAccess] if it may not be opened, with what to do about it, or
// [partywall.ErrNotSupported] if a 32-bit program opens a 64-bit one on Windows.
//
// On Windows the handle has the rights to read, write and allocate memory
// (PROCESS_VM_OPERATION, PROCESS_VM_READ, PROCESS_VM_WRITE), to ask for the
// process's id and machine (PROCESS_QUERY_LIMITED_INFORMATION), and to wait for its
// end (SYNCHRONIZE). The last is there because a process that exits with status 259
// (STILL_ACTIVE) looks alive to whoever asks only for its exit status.
func Open(pid int) (*Process, error) {
	t := &target{pid: pid}
	if err := t.open(); err != nil {
		return nil, err
	}
	t.refs.Store(1)
	p := &Process{pid: pid, target: t}
	p.cleanup = runtime.AddCleanup(p, func(t *target) { _ = t.release() }, t)
	return p, nil
}

var self = &Process{pid: os.Getpid(), myself: true, target: ownTarget()}

// Self returns this process. Reading or writing memory that is not there fails
// with [ErrUnmapped], where a plain access would fault. Its Close does nothing.
//
// A read or write that succeeds as a whole is one system call and allocates
// nothing.
func Self() *Process { return self }

// PID returns the process id.
func (p *Process) PID() int { return p.pid }

// ReadAt reads len(b) bytes at an address. If it reads fewer, n bytes were read
// and the error says at which address it stopped, and why. It may use all of b
// as scratch space.
func (p *Process) ReadAt(b []byte, address int64) (n int, err error) {
	return p.transfer(reading, b, address)
}

// WriteAt writes b at an address. If it writes fewer than len(b) bytes, n bytes
// were written and the error says at which address it stopped, and why. It changes
// no protection.
func (p *Process) WriteAt(b []byte, address int64) (n int, err error) {
	return p.transfer(writing, b, address)
}

func (p *Process) transfer(op operation, b []byte, address int64) (n int, err error) {
	t, err := p.begin()
	if err != nil {
		return 0, err
	}
	defer p.end()
	return t.transfer(op, b, address)
}

// Alloc makes a block of size bytes in the process, zeroed, readable and writable
// and never executable (VirtualAllocEx). The block is independent of p from then
// on: either may be closed first. The error wraps [partywall.ErrNotSupported]
// on systems other than Windows.
func (p *Process) Alloc(size int) (*Block, error) {
	t, err := p.begin()
	if err != nil {
		return nil, err
	}
	defer p.end()
	return t.newBlock(size)
}

// Regions lists what the process has mapped, in the order of addresses. The list
// is a copy: the process may map and unmap while it is made, and afterwards.
//
// On Windows it needs one more right than Open (PROCESS_QUERY_INFORMATION), which it
// asks for each time and lets go again.
func (p *Process) Regions() ([]Region, error) {
	t, err := p.begin()
	if err != nil {
		return nil, err
	}
	defer p.end()
	return t.regions()
}

// Alive reports whether the process still runs. It is false after Close too, when
// nobody looks any more.
func (p *Process) Alive() bool {
	t, err := p.begin()
	if err != nil {
		return false
	}
	defer p.end()
	return !t.ended()
}

// Close lets go of the process, after the operations that are running. It is
// idempotent. It frees no block.
func (p *Process) Close() error {
	if p.myself {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.target
	if t == nil {
		return nil
	}
	p.target = nil
	p.cleanup.Stop()
	return t.release()
}

// begin returns the target, which stays open until end.
func (p *Process) begin() (*target, error) {
	if p.myself { // never closed: its readers need not meet at one counter
		return p.target, nil
	}
	p.mu.RLock()
	if p.target == nil {
		p.mu.RUnlock()
		return nil, fmt.Errorf("memory of process %d: %w", p.pid, os.ErrClosed)
	}
	return p.target, nil
}

func (p *Process) end() {
	if !p.myself {
		p.mu.RUnlock()
	}
}

// errNotFound is the error of opening a process that is not there.
func errNotFound(pid int, why string) error {
	return fmt.Errorf("%w: process %d: %s", partywall.ErrNotFound, pid, why)
}
