package call

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/rendezvous"
)

// outcome is how an attack ends for the liar, as it tells the test.
type outcome string

const (
	ended      outcome = "ended"       // the victim has ended the conn
	served     outcome = "served"      // the victim has gone on, and answers rightly
	turnedAway outcome = "turned away" // the victim has refused the handshake
)

var errEnded = errors.New("the victim has ended the conn")

// outcomeOf is how a script went that returned err.
func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return served
	case errors.Is(err, errEnded):
		return ended
	}
	return outcome(fmt.Sprintf("failed: %v", err))
}

// guard ends a liar's process that its victim, or its own script, hangs. The
// test would wait as long, and its message says less.
func guard() {
	time.AfterFunc(proctest.Watchdog*2/3, func() {
		fmt.Println("outcome hangs")
		os.Exit(3)
	})
}

// A wire is the socket between two processes without the manners of a
// rendezvous.Link: it sends what it is told to.
type wire struct{ conn *net.UnixConn }

// socketPath is where a service listens; package rendezvous says so.
func socketPath(service string) string {
	sum := sha256.Sum256([]byte(service))
	return filepath.Join(rendezvous.DirPath(), hex.EncodeToString(sum[:12])+".sock")
}

func dialWire(service string) (*wire, error) {
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socketPath(service), Net: "unixpacket"})
	if err != nil {
		return nil, err
	}
	return &wire{conn}, nil
}

const (
	frameHeader  = 8
	framePayload = 4096
)

func frame(kind uint8, more bool, payload []byte) []byte {
	f := []byte{kind, 0, 0, 0}
	if more {
		f[1] = 1
	}
	f = binary.LittleEndian.AppendUint32(f, uint32(len(payload)))
	return append(f, payload...)
}

// raw sends one frame as it is, with descriptors.
func (w *wire) raw(frame []byte, files ...*os.File) error {
	var oob []byte
	if len(files) > 0 {
		var fds []int
		for _, f := range files {
			fds = append(fds, int(f.Fd()))
		}
		oob = unix.UnixRights(fds...)
	}
	if len(frame) == 0 {
		return w.rawEmpty(oob)
	}
	_, _, err := w.conn.WriteMsgUnix(frame, oob, nil)
	return w.over(err)
}

// send sends a message, in pages if it is long, with descriptors.
func (w *wire) send(kind uint8, payload []byte, files ...*os.File) error {
	for {
		page := payload[:min(len(payload), framePayload)]
		payload = payload[len(page):]
		if err := w.raw(frame(kind, len(payload) > 0, page), files...); err != nil || len(payload) == 0 {
			return err
		}
		files = nil
	}
}

// note is a message that a liar received.
type note struct {
	kind    uint8
	payload []byte
	file    *os.File
}

// receive returns the victim's next message; none that it sends to a liar has
// more than one page.
func (w *wire) receive() (note, error) {
	in, oob := make([]byte, frameHeader+framePayload), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := w.conn.ReadMsgUnix(in, oob)
	if err == nil && n < frameHeader {
		err = io.EOF
	}
	if err != nil {
		return note{}, w.over(err)
	}
	m := note{kind: in[0], payload: in[frameHeader:n]}
	if oobn > 0 {
		controls, err := unix.ParseSocketControlMessage(oob[:oobn])
		if err != nil {
			return note{}, err
		}
		fds, err := unix.ParseUnixRights(&controls[0])
		if err != nil {
			return note{}, err
		}
		m.file = os.NewFile(uintptr(fds[0]), "received")
	}
	return m, nil
}

// over turns the errors of a socket whose other end is closed into errEnded.
func (w *wire) over(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return errEnded
	}
	return err
}

// verdict waits for the victim's word in the handshake.
func (w *wire) verdict() (outcome, error) {
	m, err := w.receive()
	if errors.Is(err, errEnded) {
		m, err = w.receive() // a reset comes before what is still to be read
	}
	switch {
	case err != nil:
		return outcomeOf(err), nil
	case m.kind == msgRefuse:
		return turnedAway, nil
	}
	return "", fmt.Errorf("message %d in the handshake", m.kind)
}

const (
	sealShrink = unix.F_SEAL_SHRINK
	sealGrow   = unix.F_SEAL_GROW
	sealSize   = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
)

// memfd makes memory of a size with seals.
func memfd(size int64, seals int) (*os.File, error) {
	return memfdOf(0, size, seals)
}

func memfdOf(flags int, size int64, seals int) (*os.File, error) {
	fd, err := unix.MemfdCreate("hostile", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|flags)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "hostile")
	if err := f.Truncate(size); err != nil {
		return nil, err
	}
	if seals != 0 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
			return nil, os.NewSyscallError("fcntl F_ADD_SEALS", err)
		}
	}
	return f, nil
}

// readOnly opens sealed memory of that size again, for reading only.
func readOnly(size int64) (*os.File, error) {
	f, err := memfd(size, sealSize)
	if err != nil {
		return nil, err
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
}

// onDisk makes a file of that size that has no name any more.
func onDisk(dir string, size int64) (*os.File, error) {
	f, err := os.CreateTemp(dir, "hostile")
	if err != nil {
		return nil, err
	}
	return f, errors.Join(os.Remove(f.Name()), f.Truncate(size))
}

func pipeEnd() (*os.File, error) {
	r, _, err := os.Pipe()
	return r, err
}
