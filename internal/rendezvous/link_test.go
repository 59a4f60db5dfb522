//go:build linux || windows

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

	"github.com/partywall/partywall"
)

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
	b.RingWith(99)
	const senders, each = 4, 5
	var group sync.WaitGroup
	for s := range senders {
		group.Go(func() {
			for range each {
				if err := a.Send(uint8(s+1), bytes.Repeat([]byte{byte(s + 1)}, 50_000), nil); err != nil {
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
	far.RingWith(10)
	b.ReportAllocs()
	for b.Loop() {
		near.Ring()
		if _, err := far.Receive(); err != nil {
			b.Fatal(err)
		}
	}
}
