package rendezvous

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/region"
)

// pair returns two links that are joined, and the first's bare socket.
func pair(t testing.TB) (a, b *Link) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	link := func(fd int) *Link {
		f := os.NewFile(uintptr(fd), "socket")
		conn, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLink(conn.(*net.UnixConn))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	a, b = link(fds[0]), link(fds[1])
	for _, l := range []*Link{a, b} { // no test waits for ever
		if err := l.SetReceiveDeadline(time.Now().Add(proctest.Watchdog)); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

func TestDescriptors(t *testing.T) {
	leaks := proctest.Watch(t)
	func() {
		a, b := pair(t)
		defer a.Close()
		defer b.Close()
		mine, err := region.Create("test", 1<<16, region.Sparse)
		if err != nil {
			t.Fatal(err)
		}
		defer mine.Close()
		for _, n := range []int{0, 10, 3 * pageSize} { // it comes with the first page
			payload := make([]byte, n)
			if err := a.Send(6, payload, mine.File()); err != nil {
				t.Fatal(err)
			}
			if err := a.Send(5, nil, nil); err != nil {
				t.Fatal(err)
			}
			m := want(t, b, 6, payload)
			if m.File == nil {
				t.Fatalf("no descriptor with %d bytes", n)
			}
			flags, err := unix.FcntlInt(m.File.Fd(), unix.F_GETFD, 0)
			if err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("programs that this one starts inherit it: %#x, %v", flags, err)
			}
			theirs, err := region.Accept(m.File, 1<<16)
			if err != nil {
				t.Fatal(err)
			}
			mine.Bytes()[n] = 42
			if theirs.Bytes()[n] != 42 {
				t.Error("it is another region")
			}
			theirs.Close()
			if m := want(t, b, 5, nil); m.File != nil {
				t.Error("a descriptor nobody sent")
			}
		}
	}()
	leaks.Check()
}

// raw sends bytes and descriptors as a peer that keeps to nothing.
func raw(t *testing.T, l *Link, payload []byte, files ...*os.File) {
	t.Helper()
	var oob []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		oob = unix.UnixRights(fds...)
	}
	var err error
	cerr := l.raw.Control(func(fd uintptr) { err = unix.Sendmsg(int(fd), payload, oob, nil, 0) })
	if err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
}

// Whatever a peer sends, it gets no descriptor into this process to stay.
func TestDescriptorsWhereNoneBelong(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, test := range []struct {
		what string
		send func(t *testing.T, a *Link)
		want error
	}{
		{"two", func(t *testing.T, a *Link) { raw(t, a, appendHeader(nil, 6, false, 0), null, null) }, partywall.ErrProtocol},
		{"two hundred", func(t *testing.T, a *Link) {
			files := make([]*os.File, 200)
			for i := range files {
				files[i] = null
			}
			raw(t, a, appendHeader(nil, 6, false, 0), files...)
		}, partywall.ErrProtocol},
		{"with a later page", func(t *testing.T, a *Link) {
			raw(t, a, appendHeader(nil, 6, true, 0))
			raw(t, a, appendHeader(nil, 6, false, 0), null)
		}, partywall.ErrProtocol},
		{"with each page", func(t *testing.T, a *Link) {
			raw(t, a, appendHeader(nil, 6, true, 0), null)
			raw(t, a, appendHeader(nil, 6, false, 0), null)
		}, partywall.ErrProtocol},
		{"with a bad frame", func(t *testing.T, a *Link) { raw(t, a, []byte("\x01\x02\x03"), null) }, partywall.ErrProtocol},
		{"with too long a frame", func(t *testing.T, a *Link) { raw(t, a, make([]byte, 2*pageSize), null) }, partywall.ErrProtocol},
		{"with a message that stays unfinished", func(t *testing.T, a *Link) {
			raw(t, a, appendHeader(nil, 6, true, 0), null)
			a.Close()
		}, io.EOF},
	} {
		t.Run(test.what, func(t *testing.T) {
			leaks := proctest.Watch(t)
			a, b := pair(t)
			test.send(t, a)
			if m, err := b.Receive(); !errors.Is(err, test.want) {
				t.Errorf("%+v, %v; want %v", m, err, test.want)
				if m.File != nil {
					m.File.Close()
				}
			}
			a.Close()
			b.Close()
			leaks.Check()
		})
	}
}

// A socket that is full takes no ring, and nobody waits for it.
func TestRingIntoAFullSocket(t *testing.T) {
	a, b := pair(t)
	a.RingWith(10)
	n := 0
	for a.TrySend(3, make([]byte, 100)) {
		if n++; n > 1<<20 {
			t.Fatal("the socket is never full")
		}
	}
	for range 1000 {
		a.Ring()
	}
	for range n {
		want(t, b, 3, make([]byte, 100))
	}
	a.Ring()
	want(t, b, 10, nil)
	b.Close()
	a.Ring() // nobody is there: the reader's to report
	if a.TrySend(3, nil) {
		t.Error("TrySend to nobody")
	}
	if err := a.Send(3, nil, nil); err == nil {
		t.Error("Send to nobody")
	}
}
