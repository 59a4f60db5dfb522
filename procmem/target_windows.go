package procmem

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/winapi"
)

const rights = windows.PROCESS_VM_OPERATION | windows.PROCESS_VM_READ | windows.PROCESS_VM_WRITE |
	windows.PROCESS_QUERY_LIMITED_INFORMATION | windows.SYNCHRONIZE

type system struct{ handle windows.Handle }

func (t *target) openSelf() { t.handle = windows.CurrentProcess() }

func (t *target) open() error {
	if t.pid <= 0 || uint64(t.pid) > math.MaxUint32 {
		return errNotFound(t.pid, "no process has such an id")
	}
	h, err := windows.OpenProcess(rights, false, uint32(t.pid))
	switch {
	case errors.Is(err, windows.ERROR_INVALID_PARAMETER):
		return errNotFound(t.pid, "there is no such process")
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fmt.Errorf("%w: open process %d: %s: %w", partywall.ErrAccess, t.pid, t.whyDenied(), err)
	case err != nil:
		return fmt.Errorf("open process %d: %w", t.pid, err)
	}
	t.handle = h
	if err := t.check(); err != nil {
		_ = t.close()
		return err
	}
	return nil
}

// check refuses what was opened if it is not what was meant.
func (t *target) check() error {
	// Ids are multiples of four, and OpenProcess rounds down.
	if pid, err := windows.GetProcessId(t.handle); err != nil || int64(pid) != int64(t.pid) {
		return errNotFound(t.pid, "there is no such process")
	}
	if t.ended() {
		return errNotFound(t.pid, "it has ended")
	}
	if bits.UintSize < 64 {
		var process, native uint16
		// Without the function, before Windows 10, nobody can tell, and the addresses
		// may fit.
		if err := windows.IsWow64Process2(t.handle, &process, &native); err == nil && is64bit(process, native) {
			return fmt.Errorf("%w: process %d is a 64-bit program and this is a 32-bit one, which cannot handle its addresses; "+
				"use a 64-bit build of this program", partywall.ErrNotSupported, t.pid)
		}
	}
	return nil
}

// is64bit reads the answer of IsWow64Process2. The process's machine is unknown if the
// process is of the system's own kind.
func is64bit(process, native uint16) bool {
	machine := process
	if machine == imageFileMachineUnknown {
		machine = native
	}
	return machine == imageFileMachineAMD64 || machine == imageFileMachineARM64
}

const (
	imageFileMachineUnknown = 0
	imageFileMachineAMD64   = 0x8664
	imageFileMachineARM64   = 0xaa64
)

func (t *target) move(op operation, b []byte, at uintptr) (int, error) {
	var n uintptr
	var err error
	if op == writing {
		err = windows.WriteProcessMemory(t.handle, at, &b[0], uintptr(len(b)), &n)
	} else {
		err = windows.ReadProcessMemory(t.handle, at, &b[0], uintptr(len(b)), &n)
	}
	if err == nil {
		return len(b), nil
	}
	return int(min(n, uintptr(len(b)))), refusal{err}
}

// A refusal is the error of a transfer. The handle has the rights for it, so what the
// system refuses is the memory, in whatever words: it says that the copy is partial, that
// the address is invalid, that access is denied, or, for the protection of a mapped
// file, that a parameter is wrong.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func (t *target) classify(err error) failure {
	var r refusal
	if errors.As(err, &r) {
		switch r.error {
		case windows.ERROR_PARTIAL_COPY, windows.ERROR_NOACCESS, windows.ERROR_INVALID_ADDRESS,
			windows.ERROR_ACCESS_DENIED, windows.ERROR_INVALID_PARAMETER:
			return unmapped
		}
		return failed
	}
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return denied
	}
	return failed
}

// ended asks for the exit status too: it is there before the handle says that the
// process has ended, while its memory goes.
func (t *target) ended() bool {
	if t.myself {
		return false
	}
	if event, err := windows.WaitForSingleObject(t.handle, 0); err == nil && event == windows.WAIT_OBJECT_0 {
		return true
	}
	var status uint32
	return windows.GetExitCodeProcess(t.handle, &status) == nil && status != stillActive
}

const stillActive = 259 // STATUS_PENDING

func (t *target) whyDenied() string {
	return "the process runs at a higher integrity level (as administrator), belongs to another user, or is protected; " +
		"run both programs in the same way"
}

func (t *target) alloc(size int) (uintptr, error) {
	at, err := winapi.VirtualAllocEx(t.handle, 0, uintptr(size), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err == windows.ERROR_ACCESS_DENIED {
		t.awaitEnd()
	}
	return at, err
}

func (t *target) free(at uintptr) error {
	err := winapi.VirtualFreeEx(t.handle, at, 0, windows.MEM_RELEASE)
	if err == windows.ERROR_ACCESS_DENIED {
		t.awaitEnd()
	}
	return err
}

// awaitEnd waits a while for the end of a process which denies what the handle has the right
// to: it is ending, and nothing else tells so yet.
func (t *target) awaitEnd() {
	const longest = 1000 // milliseconds
	if !t.myself {
		windows.WaitForSingleObject(t.handle, longest)
	}
}

func (t *target) close() error { return windows.CloseHandle(t.handle) }
