package winmsg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/procmem"
)

// contexts are one that can end and one that cannot: they take different ways.
func contexts(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	t.Run("without end", func(t *testing.T) { f(t, context.Background()) })
	t.Run("with end", func(t *testing.T) { f(t, within(t, proctest.Watchdog)) })
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want what wraps: %v", err, want)
	}
}

func TestInvoke(t *testing.T) {
	contexts(t, func(t *testing.T, ctx context.Context) {
		server, w := startServer(t)
		for i := range 3 {
			info := myInfo{3333, 20.01 + float64(i)}
			answer, err := Invoke(ctx, w, compareImage, &info)
			if err != nil || answer != 0 || info != (myInfo{2, 1}) {
				t.Fatalf("%d, %+v, %v", answer, info, err)
			}
			server.Expect(fmt.Sprintf("client:red=3333.00,blue=%.2f", 20.01+float64(i)))
		}
		info := myInfo{1, 2}
		if answer, err := Invoke(ctx, w, inPlace, &info); err != nil || answer != 7 || info != (myInfo{2, 1}) {
			t.Errorf("in place: %d, %+v, %v", answer, info, err)
		}
		for _, n := range []int{0, 1, 100, 4096, 4097, 1 << 20} {
			data := bytes.Repeat([]byte("a"), n)
			if answer, err := InvokeBytes(ctx, w, echoBytes, data); err != nil || answer != uintptr(n) || string(data) != strings.Repeat("A", n) {
				t.Errorf("%d bytes: %d, %.10q, %v", n, answer, data, err)
			}
		}
		_, err := InvokeBytes(ctx, w, echoBytes, make([]byte, 5<<20))
		wantErr(t, err, ErrRefused)
		_, err = Invoke(ctx, w, crash, &info)
		wantErr(t, err, ErrRefused)
		if line := server.Expect("error "); !strings.Contains(line, "what now?") || !strings.Contains(line, "WM_USER+101") {
			t.Errorf("OnError was told %q", line)
		}
		// Nobody knows this message.
		before := info
		if answer, err := Invoke(ctx, w, User+999, &info); err != nil || answer != 0 || info != before {
			t.Errorf("an unknown message: %d, %+v, %v", answer, info, err)
		}
	})
}

// What a sender says of size and address is checked, and the server lives.
func TestInvokeIsNotTrusted(t *testing.T) {
	_, w := startServer(t)
	ctx := t.Context()
	process, err := procmem.Open(w.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	good, err := process.Alloc(4096)
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	gone, err := process.Alloc(4096)
	if err != nil {
		t.Fatal(err)
	}
	bad := gone.Address()
	gone.Close()
	for _, msg := range []Message{compareImage, inPlace} {
		for _, test := range []struct {
			what          string
			size, address uintptr
		}{
			{"too short", 15, good.Address()},
			{"no size", 0, good.Address()},
			{"freed", 16, bad},
			{"null", 16, 0},
			{"no address at all", 16, 0x10},
			{"the last bytes", 16, ^uintptr(0) - 7},
			{"beyond the block", 16, good.Address() + 4096 - 8},
			{"the kernel's", 16, ^(^uintptr(0) >> 1)},
		} {
			if answer, err := w.Send(ctx, msg, test.size, test.address); err != nil || answer != Refused {
				t.Errorf("%v, %s: %d, %v", msg, test.what, int(answer), err)
			}
		}
		// Longer is not wrong.
		if answer, err := w.Send(ctx, msg, 4096, good.Address()); err != nil || answer == Refused {
			t.Errorf("%v, longer: %d, %v", msg, int(answer), err)
		}
	}
	if answer, err := w.Send(ctx, inPlace, 16, good.Address()+4); err != nil || answer != Refused {
		t.Errorf("badly aligned: %d, %v", int(answer), err)
	}
	if answer, err := w.Send(ctx, compareImage, 16, good.Address()+3); err != nil || answer != 0 {
		t.Errorf("copied from an odd address: %d, %v", int(answer), err)
	}
	for _, size := range []uintptr{4<<20 + 1, ^uintptr(0) >> 2, ^uintptr(0)} {
		if answer, err := w.Send(ctx, echoBytes, size, good.Address()); err != nil || answer != Refused {
			t.Errorf("%d bytes: %d, %v", size, int(answer), err)
		}
	}
}

// A block that vanishes under a handler that works in place costs the request, not the server.
func TestInPlaceVanishes(t *testing.T) {
	server, w := startServer(t)
	process, err := procmem.Open(w.PID())
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	block, err := process.Alloc(4096)
	if err != nil {
		t.Fatal(err)
	}
	j, err := w.depart(t.Context(), freed, func() (uintptr, error) { return w.transmit(freed, 16, block.Address()) })
	if err != nil {
		t.Fatal(err)
	}
	server.Expect("inside")
	if err := block.Close(); err != nil {
		t.Fatal(err)
	}
	if answer, err := j.arrive(within(t, proctest.Watchdog)); err != nil || answer != Refused {
		t.Errorf("%d, %v", int(answer), err)
	}
	info := myInfo{1, 2}
	if _, err := Invoke(t.Context(), w, compareImage, &info); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// After the first, a request opens, allocates and frees nothing, and nothing is left of 10,000.
func TestInvokeIsCached(t *testing.T) {
	server, w := startServer(t)
	ctx := within(t, 10*proctest.Watchdog)
	handles := func() (mine, theirs int) {
		t.Helper()
		return proctest.Handles(t, os.Getpid()), proctest.Handles(t, server.PID())
	}
	committed := func() (total uint64) {
		t.Helper()
		p, err := procmem.Open(w.PID())
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		regions, err := p.Regions()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range regions {
			if r.Committed && !r.Shared && r.Path == "" {
				total += r.Size
			}
		}
		return total
	}
	many := func(n int) {
		t.Helper()
		for range n {
			info := myInfo{1, 2}
			if _, err := Invoke(ctx, w, inPlace, &info); err != nil || info != (myInfo{2, 1}) {
				t.Fatalf("%+v, %v", info, err)
			}
		}
	}
	many(500)
	opened, allocated, freed := counts.opened.Load(), counts.allocated.Load(), counts.freed.Load()
	mine, theirs := handles()
	memory := committed()
	many(10_000)
	if o, a, f := counts.opened.Load()-opened, counts.allocated.Load()-allocated, counts.freed.Load()-freed; o+a+f != 0 {
		t.Errorf("10,000 requests opened %d processes, allocated %d blocks and freed %d", o, a, f)
	}
	mineNow, theirsNow := handles()
	const slack = 8 // threads and events of the two runtimes come and go
	if mineNow > mine+slack || theirsNow > theirs+slack {
		t.Errorf("handles: %d before and %d after here, %d and %d in the server", mine, mineNow, theirs, theirsNow)
	}
	now := committed()
	if now > memory+10<<20 { // a block for each would be 41 MB
		t.Errorf("the server has %d bytes committed, and had %d before", now, memory)
	}
	fmt.Printf("10,000 invokes: handles %d and %d here, %d and %d in the server; %d bytes and %d committed there\n",
		mine, mineNow, theirs, theirsNow, memory, now)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	info := myInfo{}
	_, err := Invoke(ctx, w, inPlace, &info)
	wantErr(t, err, os.ErrClosed)
	if o, f := counts.allocated.Load(), counts.freed.Load(); o != f {
		t.Errorf("%d blocks were allocated and %d freed", o, f)
	}
}

// A Loan carries more than one struct, and does more than one request.
func TestLend(t *testing.T) {
	_, w := startServer(t)
	ctx := within(t, proctest.Watchdog)
	var kept *Loan
	err := w.Lend(ctx, 1000, func(l *Loan) error {
		kept = l
		if l.Size() != 1000 || l.Address() == 0 {
			t.Errorf("%d bytes at %#x", l.Size(), l.Address())
		}
		for _, at := range []int{0, 504, 984} {
			if err := procmem.Store(l, int64(at), myInfo{1, float64(at)}); err != nil {
				return err
			}
			if answer, err := l.Send(ctx, inPlace, 16, at); err != nil || answer != 7 {
				return fmt.Errorf("%d, %w", answer, err)
			}
			if got, err := procmem.Load[myInfo](l, int64(at)); err != nil || got != (myInfo{float64(at), 1}) {
				t.Errorf("at %d: %+v, %v", at, got, err)
			}
		}
		for _, at := range []int64{-1, 999, 1000, 1 << 62} {
			if _, err := l.WriteAt([]byte("ab"), at); err == nil {
				t.Errorf("two bytes at %d are written", at)
			}
		}
		_, err := l.Send(ctx, inPlace, 15, 0)
		wantErr(t, err, ErrRefused)
		return errors.New("f's own")
	})
	if err == nil || err.Error() != "f's own" {
		t.Error(err)
	}
	_, err = kept.ReadAt(make([]byte, 1), 0)
	wantErr(t, err, os.ErrClosed)
}

func TestInvokeGone(t *testing.T) {
	contexts(t, func(t *testing.T, ctx context.Context) {
		server, w := startServer(t)
		info := myInfo{1, 2}
		if _, err := Invoke(ctx, w, inPlace, &info); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := w.Send(ctx, nap, uintptr(10*proctest.Watchdog.Milliseconds()), 0)
			done <- err
		}()
		time.Sleep(50 * time.Millisecond) // most often it is in its handler by now
		server.Kill()
		server.Wait()
		wantErr(t, <-done, partywall.ErrPeerGone)
		_, err := Invoke(ctx, w, inPlace, &info)
		wantErr(t, err, partywall.ErrPeerGone)
		wantErr(t, w.Post(nap, 0, 0), partywall.ErrPeerGone)
		_, err = w.Info()
		wantErr(t, err, partywall.ErrPeerGone)
		_, err = Open(w.Handle())
		wantErr(t, err, partywall.ErrNotFound)
	})
}
