package backing

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The name lock is one process's, until that gives it back or is killed.
func TestNameLock(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		b, _ := g.must(t)
		for _, kill := range []bool{false, true} {
			p := g.start(t)
			ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, errors.New("that is enough"))
			if err := b.Lock(ctx); !errors.Is(err, partywall.ErrBusy) || !strings.Contains(err.Error(), "waited for") || !strings.HasSuffix(err.Error(), "that is enough") {
				t.Errorf("somebody has it: %v", err)
			}
			cancel()
			got := make(chan error)
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
				defer cancel()
				got <- b.Lock(ctx)
			}()
			select {
			case err := <-got:
				t.Fatalf("two have it: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
			if kill {
				p.Kill()
			} else {
				ask(p, "unlock")
			}
			if err := <-got; err != nil {
				t.Fatal(err)
			}
			b.Unlock()
			p.Kill()
			p.Wait()
		}
		// With the lock free, an ended context is no error. With it taken by this very handle, it is.
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := b.Lock(ended); err != nil {
			t.Fatal(err)
		}
		if err := b.Lock(ended); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		b.Unlock()
	})
}

// Handles of one process are participants of their own.
func TestMarksOfOneProcess(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		a, _ := g.must(t)
		b, destroy := g.must(t)
		lock(t, a)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := b.Lock(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("two handles have the name lock: %v", err)
		}
		a.Unlock()
		expect(t, "a claims 3", claim(t, a, 3), true)
		expect(t, "b claims 3", claim(t, b, 3), false)
		expect(t, "b claims 4", claim(t, b, 4), true)
		expect(t, "b sees 3", b.Alive(3), true)
		expect(t, "a sees 4", a.Alive(4), true)
		expect(t, "a sees 5", a.Alive(5), false)
		expect(t, "a sees anyone", a.Anyone(), true)
		lock(t, b)
		b.Release()
		expect(t, "a sees 4 after the release", a.Alive(4), false)
		expect(t, "a sees anyone after the release", a.Anyone(), false)
		expect(t, "b sees anyone after the release", b.Anyone(), true)
		expect(t, "a has 3 still", b.Alive(3), true)
		b.Unlock()
		lock(t, a)
		a.Release()
		a.Unlock()
		destroy()
	})
}

// A mark ends with its process, whatever ends that, and its number is another's then.
func TestMarksOfProcesses(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		b, _ := g.must(t)
		for _, kill := range []bool{false, true, true} {
			p := g.start(t)
			expect(t, "claim", ask(p, "claim 2"), "true")
			expect(t, "anyone beside it", ask(p, "anyone"), "false")
			ask(p, "unlock")
			expect(t, "2 is alive", b.Alive(2), true)
			expect(t, "1 is alive", b.Alive(1), false)
			expect(t, "anyone", b.Anyone(), true)
			expect(t, "claimed twice", claim(t, b, 2), false)
			expect(t, "claim of another", claim(t, b, 1), true)
			expect(t, "it sees 1", ask(p, "alive 1"), "true")
			lock(t, b)
			b.Release()
			b.Unlock()
			b, _ = g.must(t) // Release has taken the anchor
			expect(t, "it sees 1 after the release", ask(p, "alive 1"), "false")
			if kill {
				p.Kill()
			}
			p.Wait()
			expect(t, "2 is alive when its process has ended", b.Alive(2), false)
			expect(t, "anyone, with its process ended", b.Anyone(), false)
			expect(t, "claim of a number that is free again", claim(t, b, 2), true)
			lock(t, b)
			b.Release()
			b.Unlock()
			b, _ = g.must(t)
		}
	})
}

// Whoever asks who is there does not make anybody else wrong: at most a number is passed over.
func TestAskersDoNotDisturb(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		b, _ := g.must(t)
		for range 2 {
			p := g.start(t)
			ask(p, "flicker 1")
			ask(p, "unlock")
		}
		for range 500 {
			if b.Alive(1) || b.Anyone() {
				t.Fatal("one who asks is believed to be there")
			}
		}
		for !claim(t, b, 1) {
		}
		p := g.start(t)
		for range 100 {
			expect(t, "1 is alive", ask(p, "alive 1"), "true")
		}
	})
}

// What is there of a generation stays for those who have it mapped, and its name is free.
func TestRegions(t *testing.T) {
	g := ground{"files", "test"}
	b, destroy := g.must(t)
	lock(t, b)
	if _, err := b.Open(1, false); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	r, err := b.Create(1, 5000)
	if err != nil {
		t.Fatal(err)
	}
	r.Bytes()[0] = 7
	b.Unlock()
	p := g.start(t)
	expect(t, "what it sees", ask(p, "map 1"), "7")
	lock := func() { ask(p, "unlock"); lock(t, b) }
	lock()
	// A leftover of that generation is replaced, whoever has it.
	again, err := b.Create(1, 5000)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "a new region's byte", again.Bytes()[0], byte(0))
	expect(t, "the old region's byte", r.Bytes()[0], byte(7))
	read, err := b.Open(1, true)
	if err != nil {
		t.Fatal(err)
	}
	again.Bytes()[4999] = 9
	expect(t, "what a reader sees", read.Bytes()[4999], byte(9))
	// What somebody who was killed has not dropped, goes with a later one.
	for generation := uint64(2); generation < 5; generation++ {
		r, err := b.Create(generation, 5000)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	for generation, want := range []bool{1: false, 2: false, 3: true, 4: true} {
		if r, err := b.Open(uint64(generation), false); (err == nil) != want {
			t.Errorf("generation %d: %v", generation, err)
		} else if err == nil {
			r.Close()
		}
	}
	b.Drop(4)
	if _, err := b.Open(4, false); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	b.Unlock()
	again.Close()
	read.Close()
	r.Close()
	p.Kill()
	p.Wait()
	destroy()
	expectEmpty(t)
}

func expectEmpty(t *testing.T) {
	t.Helper()
	files, err := os.ReadDir(os.Getenv("PARTYWALL_DIR"))
	if err != nil {
		t.Error(err)
	}
	for _, f := range files {
		t.Errorf("left behind: %s", f.Name())
	}
}

// An anchor that dead processes have left is made new in its place.
func TestFormat(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		p := g.start(t)
		expect(t, "claim", ask(p, "claim 0"), "true")
		p.Kill()
		p.Wait()
		b, _ := g.must(t)
		lock(t, b)
		defer b.Unlock()
		for i := range b.Anchor()[testNonce+8:] {
			b.Anchor()[testNonce+8+i] = 0xff
		}
		if err := b.Format(testAnchor); err != nil {
			t.Fatal(err)
		}
		for at, v := range b.Anchor() {
			if v != 0 && (at < testBuilder || at >= testNonce+8) {
				t.Fatalf("byte %d is %#x", at, v)
			}
		}
	})
}

// A touch of memory that is not there any more is a panic that can be recovered from.
func TestFault(t *testing.T) {
	b, _ := ground{"files", "test"}.must(t)
	lock(t, b)
	defer b.Unlock()
	r, err := b.Create(1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	mem := r.Bytes()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	b.Drop(1)
	fault := func(touch func()) (at uintptr) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if e, ok := recover().(interface{ Addr() uintptr }); ok {
				at = e.Addr()
			}
		}()
		touch()
		return 0
	}
	private := make([]byte, len(mem))
	for what, touch := range map[string]func(){
		"load":  func() { private[0] = mem[100] },
		"store": func() { mem[100] = 1 },
		"copy":  func() { copy(private, mem) },
		"fill":  func() { copy(mem, private) },
	} {
		if fault(touch) == 0 {
			t.Errorf("%s: no fault", what)
		}
	}
}
