package rendezvous

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
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

func want(t *testing.T, l *Link, kind uint8, payload []byte) Message {
	t.Helper()
	m, err := l.Receive()
	if err != nil || m.Kind != kind || !bytes.Equal(m.Payload, payload) {
		t.Fatalf("kind %d with %d bytes, %v; want kind %d with %d", m.Kind, len(m.Payload), err, kind, len(payload))
	}
	return m
}

func TestMessages(t *testing.T) {
	a, b := pair(t)
	for _, n := range []int{0, 1, pageSize - 1, pageSize, pageSize + 1, 3 * pageSize, MaxPayload - 1, MaxPayload} {
		payload := bytes.Repeat([]byte{byte(n), 2, 3}, n/3+1)[:n]
		sent := make(chan error, 1)
		go func() { sent <- a.Send(7, payload, nil) }()
		if m := want(t, b, 7, payload); m.File != nil {
			t.Error("a descriptor nobody sent")
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	if err := a.Send(7, make([]byte, MaxPayload+1), nil); !errors.Is(err, partywall.ErrTooLarge) {
		t.Errorf("above the limit: %v", err)
	}
	if !b.TrySend(8, []byte("back")) {
		t.Error("an empty socket refuses")
	}
	want(t, a, 8, []byte("back"))
}

// Long messages of many senders do not mix, and rings come between their pages.
func TestManySenders(t *testing.T) {
	a, b := pair(t)
	a.RingWith(99)
	const senders, each = 4, 5
	var group sync.WaitGroup
	for s := range senders {
		group.Go(func() {
			for range each {
				if err := a.Send(uint8(s), bytes.Repeat([]byte{byte(s)}, 50_000), nil); err != nil {
					t.Error(err)
				}
				a.Ring()
			}
		})
	}
	for got := 0; got < senders*each; {
		m, err := b.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind == 99 {
			continue
		}
		if len(m.Payload) != 50_000 || bytes.Count(m.Payload, []byte{m.Kind}) != 50_000 {
			t.Fatalf("kind %d: %d bytes, or others'", m.Kind, len(m.Payload))
		}
		got++
	}
	group.Wait()
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

func TestSendGivesUp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as a peer may be silent")
	}
	a, _ := pair(t)
	start := time.Now()
	err := error(nil)
	for err == nil {
		err = a.Send(3, make([]byte, 1000), nil)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) < Timeout {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// A peer that goes with messages of ours unread has perhaps said something
// before: that is read, and then the end. The kernel says ECONNRESET in between.
func TestLastWordsAreHeard(t *testing.T) {
	for unread := range 3 {
		a, b := pair(t)
		for range unread {
			if err := b.Send(1, []byte("unread"), nil); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 5 {
			if err := a.Send(2, []byte(strings.Repeat("x", i)), nil); err != nil {
				t.Fatal(err)
			}
		}
		a.Close()
		for i := range 5 {
			want(t, b, 2, []byte(strings.Repeat("x", i)))
		}
		for range 3 {
			if m, err := b.Receive(); !errors.Is(err, io.EOF) {
				t.Fatalf("%d unread: %+v, %v", unread, m, err)
			}
		}
	}
}

func TestInterrupt(t *testing.T) {
	a, b := pair(t)
	received := make(chan error)
	go func() { _, err := b.Receive(); received <- err }()
	b.Interrupt()
	if err := <-received; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if err := b.SetReceiveDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := a.Send(1, []byte("on"), nil); err != nil {
		t.Fatal(err)
	}
	want(t, b, 1, []byte("on"))
	go func() { _, err := b.Receive(); received <- err }()
	b.Close()
	if err := <-received; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func BenchmarkRing(b *testing.B) {
	near, far := pair(b)
	near.RingWith(10)
	b.ReportAllocs()
	for b.Loop() {
		near.Ring()
		if _, err := far.Receive(); err != nil {
			b.Fatal(err)
		}
	}
}
