package rendezvous

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/winapi"
)

// A pipe is one end of a named pipe. It carries the two messages by which a link is made, and nothing
// afterwards. Nobody waits in the system for it, but for a listener that waits for clients: so no
// peer that says nothing costs a thread.
type pipe struct{ handle windows.Handle }

const (
	pipePrefix = `\\.\pipe\partywall-`
	pipeBuffer = 4096 // holds either message, so that no write waits

	// pipeClient is all that a client needs. GENERIC_WRITE would be more: by that one can make another instance of the
	// pipe, and take the next client.
	pipeClient = windows.FILE_READ_DATA | windows.FILE_WRITE_DATA | windows.FILE_READ_ATTRIBUTES | windows.SYNCHRONIZE

	// pipeLooks is how often a side looks for a message before it sleeps in between.
	pipeLooks = 16

	// pipePause is the longest that it sleeps in between: pauses double, so that none is longer than
	// what it has waited already, and a thousand peers that say nothing cost little.
	pipePause = 128 * time.Millisecond
)

// newPipeName returns a name that nobody can guess, and so nobody can take before.
func newPipeName() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// isPipeName reports whether a name can be one of [newPipeName]'s.
func isPipeName(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == 16 && strings.ToLower(name) == name
}

// makePipe makes an instance of a pipe, to which one client can connect at once.
func makePipe(name string, first bool, access *windows.SecurityAttributes) (*pipe, error) {
	path, err := windows.UTF16PtrFromString(pipePrefix + name)
	if err != nil {
		return nil, err
	}
	flags := uint32(windows.PIPE_ACCESS_DUPLEX)
	if first {
		flags |= windows.FILE_FLAG_FIRST_PIPE_INSTANCE
	}
	h, err := windows.CreateNamedPipe(path, flags, windows.PIPE_TYPE_BYTE|windows.PIPE_WAIT|windows.PIPE_REJECT_REMOTE_CLIENTS,
		windows.PIPE_UNLIMITED_INSTANCES, pipeBuffer, pipeBuffer, 0, access)
	if err != nil {
		return nil, os.NewSyscallError("CreateNamedPipe", err)
	}
	return &pipe{h}, nil
}

// accept waits until a client has connected. The wait ends only with that.
func (p *pipe) accept() error {
	err := windows.ConnectNamedPipe(p.handle, nil)
	if err == nil || errors.Is(err, windows.ERROR_PIPE_CONNECTED) {
		return nil
	}
	return os.NewSyscallError("ConnectNamedPipe", err)
}

// openPipe connects to a pipe. The server learns who this is, and can do nothing in this user's name.
func openPipe(name string) (*pipe, error) {
	path, err := windows.UTF16PtrFromString(pipePrefix + name)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(path, pipeClient, 0, nil, windows.OPEN_EXISTING,
		windows.SECURITY_SQOS_PRESENT|windows.SECURITY_IDENTIFICATION, 0)
	if err != nil {
		return nil, err
	}
	return &pipe{h}, nil
}

// pipeExists reports whether somebody listens at a pipe, without anybody noticing.
func pipeExists(name string) bool {
	path, err := windows.UTF16PtrFromString(pipePrefix + name)
	if err != nil {
		return false
	}
	const noWait = 1 // NMPWAIT_NOWAIT
	err = winapi.WaitNamedPipe(path, noWait)
	return err == nil || errors.Is(err, windows.ERROR_SEM_TIMEOUT) || errors.Is(err, windows.ERROR_PIPE_BUSY)
}

// available returns how many bytes can be read. The error is [io.EOF] when the other end is closed.
func (p *pipe) available() (n uint32, err error) {
	err = winapi.PeekNamedPipe(p.handle, nil, 0, nil, &n, nil)
	return n, pipeError("PeekNamedPipe", err)
}

// pipeError is [io.EOF] when the other end is closed.
func pipeError(call string, err error) error {
	if errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED) || errors.Is(err, windows.ERROR_NO_DATA) {
		return io.EOF
	}
	return os.NewSyscallError(call, err)
}

// read fills b with what the other end writes.
func (p *pipe) read(b []byte, stop <-chan struct{}, deadline time.Time) error {
	if err := p.await(uint32(len(b)), stop, deadline); err != nil {
		return err
	}
	var done uint32
	if err := windows.ReadFile(p.handle, b, &done, nil); err != nil {
		return pipeError("ReadFile", err)
	}
	if int(done) != len(b) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// hangUp waits until the other end is closed, and closes this one.
func (p *pipe) hangUp(stop <-chan struct{}, deadline time.Time) error {
	err := p.await(1, stop, deadline)
	p.close()
	switch {
	case err == nil:
		return fmt.Errorf("%w: the client says more than it may", partywall.ErrProtocol)
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// await waits until so many bytes can be read.
func (p *pipe) await(bytes uint32, stop <-chan struct{}, deadline time.Time) error {
	pause := time.Millisecond
	for looks := 0; ; looks++ {
		switch n, err := p.available(); {
		case err != nil:
			return err
		case n >= bytes:
			return nil
		case !time.Now().Before(deadline):
			return os.ErrDeadlineExceeded
		case looks < pipeLooks:
			winapi.SwitchToThread()
			runtime.Gosched()
			continue
		}
		select {
		case <-stop:
			return errStopped
		case <-time.After(pause):
			pause = min(2*pause, pipePause)
		}
	}
}

// errStopped: the side that waits does not want to any more.
var errStopped = errors.New("stopped")

func (p *pipe) write(b []byte) error {
	var done uint32
	if err := windows.WriteFile(p.handle, b, &done, nil); err != nil {
		return pipeError("WriteFile", err)
	}
	if int(done) != len(b) {
		return fmt.Errorf("the pipe has taken %d bytes of %d", done, len(b))
	}
	return nil
}

// client returns the process at the other end of a pipe that was accepted, server of one that was opened.
func (p *pipe) client() (pid uint32, err error) {
	err = windows.GetNamedPipeClientProcessId(p.handle, &pid)
	return pid, os.NewSyscallError("GetNamedPipeClientProcessId", err)
}

func (p *pipe) server() (pid uint32, err error) {
	err = windows.GetNamedPipeServerProcessId(p.handle, &pid)
	return pid, os.NewSyscallError("GetNamedPipeServerProcessId", err)
}

func (p *pipe) close() {
	if p != nil && p.handle != 0 {
		_ = windows.CloseHandle(p.handle)
		p.handle = 0
	}
}
