package section_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// stopC starts a C program that stops in its store after a step.
func stopC(t testing.TB, name, step string) *proctest.Process {
	t.Helper()
	p := c(t, "writer", "--stop", step, name, "N=1000", "Twice=2000")
	p.Expect(step)
	return p
}

// A C program holds the lock and is stopped, or killed, after each step of a store.
func TestCStopsAndDies(t *testing.T) {
	for _, step := range []string{"acquired", "copied", "committed", "woken", "switched"} {
		t.Run("small/"+step, func(t *testing.T) {
			diesAt(t, step, func(v *cPair) (*uint64, *uint64) { return &v.N, &v.Twice })
		})
		t.Run("large/"+step, func(t *testing.T) {
			diesAt(t, step, func(v *cLarge) (*uint64, *uint64) { return &v.N, &v.Twice })
		})
	}
}

func diesAt[T any](t *testing.T, step string, fields func(*T) (*uint64, *uint64)) {
	clean(t)
	const name = "c/dies"
	s, v := open[T](t, name), new(T)
	n, twice := fields(v)
	*n, *twice = 1, 2
	known := must(s.StoreFrom(v))(t)
	ctx, cancel := context.WithCancel(context.Background())
	got, ended := make(chan uint64, 1024), make(chan error, 1)
	go func() {
		for c, err := range s.Watch(ctx) {
			if err != nil {
				ended <- err
				return
			}
			got <- c.Version
		}
	}()
	if version := next(t, got); version != known {
		t.Fatal(version)
	}
	watcher := watchC(t, name, known, 1<<30)

	p := stopC(t, name, step)
	if step == "switched" { // it has stored, and woken everybody
		if version := next(t, got); version != known+1 {
			t.Error(version)
		}
		versions(t, watcher, known, known+1)
		known, *n, *twice = known+1, 1000, 2000
	}
	w := new(T)
	if version := must(s.LoadTo(w))(t); version != known {
		t.Errorf("version %d, want %d", version, known)
	}
	if a, b := fields(w); *a != *n || *b != *twice {
		t.Errorf("%d, %d", *a, *b)
	}
	// It is stopped, not dead: it is waited for, as long as the context allows.
	short, stop := context.WithCancel(context.Background())
	err := s.Update(short, func(*T) error {
		time.AfterFunc(100*time.Millisecond, stop)
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an update while a process is stopped: %v", err)
	} else if !containsNumber(err.Error(), p.PID()) {
		t.Errorf("the error does not name process %d: %v", p.PID(), err)
	}
	p.Kill()
	p.Wait()
	began := time.Now()
	*n, *twice = 5, 10
	if version := must(s.StoreFrom(v))(t); version != known+1 {
		t.Errorf("version %d, want %d", version, known+1)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a store after a death took %v", took)
	}
	if version := next(t, got); version != known+1 {
		t.Error(version)
	}
	versions(t, watcher, known, known+1)

	// A C program takes over as well.
	p = stopC(t, name, step)
	p.Kill()
	p.Wait()
	run(t, "writer", name, "N=7", "Twice=14")
	if s.LoadTo(w); *first(fields(w)) != 7 {
		t.Errorf("%d", *first(fields(w)))
	}
	watcher.Kill()
	watcher.Wait()
	cancel()
	next(t, ended)
}

func first[A, B any](a A, _ B) A { return a }

func containsNumber(text string, n int) bool {
	want, at := fmt.Sprint(n), 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] >= '0' && text[i] <= '9' {
			continue
		}
		if text[at:i] == want {
			return true
		}
		at = i + 1
	}
	return false
}

// Whoever made a section grow died after it had frozen the region: the next store finishes the growth, in C or in Go.
func TestCFinishesGrowth(t *testing.T) {
	for _, writer := range []string{"C", "Go"} {
		t.Run(writer, func(t *testing.T) {
			clean(t)
			s := open[cPair](t, "c/frozen")
			if err := s.Store(cPair{N: 5, Twice: 10}); err != nil {
				t.Fatal(err)
			}
			watcher := watchC(t, "c/frozen", 1, 1<<30)
			_, region := files("c/frozen")
			poke(t, region(1), atSwitch, peek(t, region(1), atSwitch)|8)
			if v := must(s.Load())(t); v.N != 5 {
				t.Error(v)
			}
			if lines := run(t, "reader", "c/frozen"); len(lines) != 2 || lines[0] != "1 N=5" {
				t.Error(lines)
			}
			switch writer {
			case "C":
				run(t, "writer", "c/frozen", "N+=1")
			default:
				if err := s.Store(cPair{N: 6, Twice: 10}); err != nil {
					t.Fatal(err)
				}
			}
			if v := must(s.Load())(t); v != (cPair{N: 6, Twice: 10}) {
				t.Error(v)
			}
			if _, err := os.Stat(region(1)); err == nil {
				t.Error("the region that was left is there still")
			}
			if _, v := versions(t, watcher, 1, 2); v["N"] != "6" {
				t.Error(v)
			}
			watcher.Kill()
			watcher.Wait()
		})
	}
}

// A C program that is the last to leave removes the files; one that finds what the dead have left says so.
func TestCComesAndGoes(t *testing.T) {
	clean(t)
	anchor, _ := files("c/life")
	g := ground{kind: "files"}
	a := g.start(t, "hold", "c/life", "5")
	a.Expect("ready")
	watcher := watchC(t, "c/life", 1, 1)
	end(t, a, false)
	if _, err := os.Stat(anchor); err != nil {
		t.Errorf("a participant is there still: %v", err)
	}
	run(t, "writer", "c/life", "Jobs+=1")
	if err := watcher.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(anchor); err == nil {
		t.Error("nobody is there any more")
	}
	if err := c(t, "reader", "c/life").Wait(); err == nil {
		t.Error("C reads a section that is not there")
	}

	a = g.start(t, "hold", "c/life", "5")
	a.Expect("ready")
	end(t, a, true)
	if err := c(t, "reader", "c/life").Wait(); err == nil {
		t.Error("C reads a section that the dead have left")
	}
	open[plant](t, "c/life").Close()

	a = g.start(t, "hold", "c/life", "5", "keep")
	a.Expect("ready")
	end(t, a, true)
	run(t, "writer", "c/life", "Jobs+=1")
	if lines := run(t, "reader", "c/life"); lines[1] != "2 Jobs=6" {
		t.Error(lines)
	}
	left, _ := filepath.Glob(anchor + "*")
	if len(left) != 2 {
		t.Errorf("of a kept section there is %v", left)
	}
	for _, file := range left {
		os.Remove(file)
	}
}

// A stopped C program is waited for, and then the store goes on.
func TestCIsContinued(t *testing.T) {
	clean(t)
	s := open[cPair](t, "c/continues")
	p := stopC(t, "c/continues", "committed")
	stored := make(chan error, 1)
	go func() { stored <- s.Store(cPair{N: 3}) }()
	time.AfterFunc(20*time.Millisecond, func() { p.Signal(syscall.SIGCONT) })
	if err := next(t, stored); err != nil {
		t.Error(err)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	var v cPair
	if version := must(s.LoadTo(&v))(t); version != 2 || v.N != 3 {
		t.Errorf("version %d, %+v", version, v)
	}
}
