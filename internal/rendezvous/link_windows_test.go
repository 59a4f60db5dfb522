package rendezvous

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/region"
)

// pair returns the two ends of a link: the client's and the server's.
func pair(t testing.TB) (a, b *Link) {
	t.Helper()
	t.Setenv("PARTYWALL_DIR", t.TempDir()+`\run`)
	l, err := Listen(Place{}, "pair")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = Dial(context.Background(), Place{}, "pair"); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Link{a, b} { // no test waits for ever
		t.Cleanup(func() { l.Close() })
		if err := l.SetReceiveDeadline(time.Now().Add(proctest.Watchdog)); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// wantSockets has nothing to check: what a killed process had is gone with it.
func wantSockets(*testing.T, string, int) {}

// Memory comes with messages, from the client to the server, and is the same for both.
func TestMemoryIsLent(t *testing.T) {
	a, b := pair(t)
	mine, err := region.Create("test", 1<<16, region.Filled)
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	for _, n := range []int{0, 10, 3 * pageSize} { // it comes with the first page
		payload := make([]byte, n)
		if err := errors.Join(a.Send(6, payload, mine.File()), a.Send(5, nil, nil)); err != nil {
			t.Fatal(err)
		}
		m := want(t, b, 6, payload)
		if m.File == nil {
			t.Fatalf("no memory with %d bytes: %v", n, m.Lost)
		}
		theirs, err := region.Accept(m.File, 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		mine.Bytes()[n] = 42
		if theirs.Bytes()[n] != 42 {
			t.Error("it is other memory")
		}
		theirs.Close()
		if m := want(t, b, 5, nil); m.File != nil {
			t.Error("memory that nobody sent")
		}
	}
	if n := len(a.inFlight); n > 2 {
		t.Errorf("%d handles are kept that the server has taken", n)
	}
}

// A client that closes the link closes the handles that are on their way. Its last words are heard, and it
// has broken no rule, although by then their numbers can be those of other objects.
func TestMemoryIsLentByOneWhoLeaves(t *testing.T) {
	a, b := pair(t)
	mine, err := region.Create("test", 1<<16, region.Filled)
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	if err := errors.Join(a.Send(6, []byte("lent"), mine.File()), a.Send(5, nil, nil)); err != nil {
		t.Fatal(err)
	}
	number := a.inFlight[0].handle
	a.Close()
	for range 1000 { // one of them gets the number, perhaps
		var h windows.Handle
		self := windows.CurrentProcess()
		if err := windows.DuplicateHandle(self, windows.Handle(mine.File().Fd()), self, &h, region.Access, false, 0); err != nil {
			t.Fatal(err)
		}
		defer windows.CloseHandle(h)
		if h == number {
			break
		}
	}
	if m := want(t, b, 6, []byte("lent")); m.File != nil || m.Lost == nil {
		t.Errorf("a handle that was closed: %v, %v", m.File, m.Lost)
	}
	want(t, b, 5, nil)
	if _, err := b.Receive(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// Memory that was not asked for is refused, and closed.
func TestMemoryIsNotAskedFor(t *testing.T) {
	a, b := pair(t)
	mine, err := region.Create("test", 1<<16, region.Filled)
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	if err := a.Send(kindMake, nil, mine.File()); err != nil {
		t.Fatal(err)
	}
	if m, err := b.Receive(); !errors.Is(err, partywall.ErrProtocol) || m.File != nil {
		t.Errorf("%+v, %v", m, err)
	}
}

// The server asks for memory, which the client makes and gets back with a message.
func TestMemoryIsMade(t *testing.T) {
	a, b := pair(t)
	type made struct {
		r   *region.Region
		err error
	}
	done := make(chan made, 1)
	go func() {
		r, err := b.MakeRegion("test", 1<<16)
		if err == nil {
			err = b.SendRegion(2, []byte("here"), r)
		}
		done <- made{r, err}
	}()
	m := want(t, a, 2, []byte("here"))
	theirs := <-done
	if theirs.err != nil || m.File == nil {
		t.Fatal(theirs.err, m.File)
	}
	defer theirs.r.Close()
	mine, err := region.Accept(m.File, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	theirs.r.Bytes()[1<<16-1] = 7
	if mine.Bytes()[1<<16-1] != 7 {
		t.Error("it is other memory")
	}
}

// A ring is a signal, not a message: it gets through though the ring of messages is full.
func TestRingIntoAFullRing(t *testing.T) {
	a, b := pair(t)
	b.RingWith(10)
	n := 0
	for a.TrySend(3, make([]byte, 100)) {
		if n++; n > 1<<20 {
			t.Fatal("the ring is never full")
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

// The end of a process is the end of its links.
func TestPeerIsKilled(t *testing.T) {
	runDir(t)
	leaks := proctest.Watch(t)
	for range 5 {
		other := proctest.Start(t, "hold", "a")
		other.Expect("listening")
		c, err := Dial(context.Background(), Place{}, "a")
		if err != nil {
			t.Fatal(err)
		}
		if p := c.Peer(); p.PID != other.PID() || p.User == "" {
			t.Errorf("%v serves, of %+v", other.PID(), p)
		}
		received := make(chan error, 1)
		go func() { _, err := c.Receive(); received <- err }()
		other.Kill()
		select {
		case err := <-received:
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
		case <-time.After(proctest.Watchdog):
			t.Fatal("nobody notices")
		}
		c.Close()
		other.Wait()
	}
	leaks.Check()
}
