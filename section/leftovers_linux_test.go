package section_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

func init() {
	conformRoles["crowd"] = crowdRole
	conformRoles["restless"] = restlessRole
}

// What processes leave that are killed at each stage, made by hand: the next Open works, and nothing leaks.
func TestLeftovers(t *testing.T) {
	for stage, harm := range map[string]func(t *testing.T, at target){
		"created: an anchor of no bytes":    func(t *testing.T, at target) { truncate(t, at.anchor, 0); os.Remove(at.region(1)) },
		"created: an anchor of zeros":       func(t *testing.T, at target) { zeros(t, at.anchor); os.Remove(at.region(1)) },
		"created: a region of no bytes":     func(t *testing.T, at target) { zeros(t, at.anchor); truncate(t, at.region(1), 0) },
		"created: a region of zeros":        func(t *testing.T, at target) { zeros(t, at.anchor); zeros(t, at.region(1)) },
		"created: a region and no current":  func(t *testing.T, at target) { zeros(t, at.anchor) },
		"created: all but the magic":        func(t *testing.T, at target) { poke(t, at.anchor, 0, 0) },
		"created: nobody has joined":        func(*testing.T, target) {},
		"grown: a successor of no bytes":    func(t *testing.T, at target) { write(t, at.region(2), nil) },
		"grown: a successor of zeros":       func(t *testing.T, at target) { write(t, at.region(2), make([]byte, 4096)) },
		"grown: the lock, and a successor":  func(t *testing.T, at target) { poke(t, at.region(1), atLock, lockHeld(0, true)); copyFile(t, at, 2) },
		"grown: moved, and no successor":    func(t *testing.T, at target) { moved(t, at) },
		"grown: moved, and half of another": func(t *testing.T, at target) { moved(t, at); write(t, at.region(2), make([]byte, 4096)) },
		"grown: current, and the old one":   func(t *testing.T, at target) { copyFile(t, at, 2); moved(t, at); poke(t, at.anchor, atCurrent, 2) },
		"closed: an anchor and no region":   func(t *testing.T, at target) { os.Remove(at.region(1)) },
		"closed: regions of long ago":       func(t *testing.T, at target) { write(t, at.region(7), []byte("7")); write(t, at.region(1<<30), nil) },
		"regions and no anchor":             func(t *testing.T, at target) { os.Remove(at.anchor) },
	} {
		for i, next := range []string{"a wider one", "one that must be there", "the same", "a reader"} {
			if slow && i >= 2 {
				break
			}
			t.Run(stage+"/"+next, func(t *testing.T) {
				clean(t)
				at := newTarget(t, "leftovers")
				p := victim(t, "small", at.name, time.Second)
				if got := tell(t, p, "store", 3); got != "ok" {
					t.Fatal(got)
				}
				p.Kill()
				p.Wait()
				harm(t, at)
				kind, options, missing := "small", []section.Option(nil), false
				switch next {
				case "a wider one":
					kind = "wide"
				case "one that must be there":
					options, missing = append(options, section.MustExist()), true
				case "a reader":
					options, missing = append(options, section.ReadOnly()), true
				}
				for range 2 { // what a look leaves, the next must not stumble over
					v, err := victimKinds[kind](at.name, options...)
					if missing {
						if !errors.Is(err, partywall.ErrNotFound) {
							t.Fatal(err)
						}
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					if found, err := v.load(); err != nil || found != "0 0" {
						t.Error(found, err)
					}
					if err := v.store(5); err != nil {
						t.Error(err)
					}
					if found, err := v.load(); err != nil || found != "1 5" {
						t.Error(found, err)
					}
					if err := v.close(); err != nil {
						t.Error(err)
					}
				}
				open[plant](t, at.name).Close()
			})
		}
	}
}

func truncate(t testing.TB, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// zeros makes all bytes of a file zero.
func zeros(t testing.TB, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, make([]byte, info.Size()))
}

func moved(t testing.TB, at target) {
	t.Helper()
	poke(t, at.region(1), atSwitch, peek(t, at.region(1), atSwitch)|8)
}

// copyFile makes a successor of region 1.
func copyFile(t testing.TB, at target, generation int) {
	t.Helper()
	b, err := os.ReadFile(at.region(1))
	if err != nil {
		t.Fatal(err)
	}
	write(t, at.region(generation), b)
	poke(t, at.region(generation), 16, uint64(generation))
}

// Processes are killed at random while they create, grow, store and close: whoever comes next can open the section at once, and when
// all have gone nothing is left.
func TestKilledAtRandom(t *testing.T) {
	rounds := 100
	if testing.Short() || slow {
		rounds = 15
	}
	clean(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for round := range rounds {
		var all []*proctest.Process
		for _, kind := range []string{"small", "wide", "large"}[:1+random.IntN(3)] {
			p := ground{kind: "files"}.start(t, "restless", "random", kind)
			all = append(all, p)
		}
		for _, p := range all {
			p.Expect("ready")
		}
		for _, i := range random.Perm(len(all)) {
			time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
			all[i].Kill()
			for line := range all[i].Lines() {
				if !strings.HasPrefix(line, "ready") {
					t.Errorf("round %d: %s", round, line)
				}
			}
			if err := all[i].Wait(); err == nil || err.Error() != "signal: killed" {
				t.Errorf("round %d: it had ended by itself: %v", round, err)
			}
		}
		began := time.Now()
		s := open[plant](t, "random")
		if err := s.Store(plant{Jobs: 1}); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("round %d: it took %v", round, took)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left := listing(t); len(left) != 0 {
			t.Fatalf("round %d: %v is left", round, left)
		}
	}
}

// restlessRole opens, stores and closes until it is killed.
func restlessRole(_ ground, name string, args []string) error {
	for n := uint64(1); ; n++ {
		v, err := victimKinds[args[0]](name)
		if err != nil {
			return err
		}
		if n == 1 {
			fmt.Println("ready")
		}
		if err := errors.Join(v.store(n), v.update(context.Background())); err != nil {
			return err
		}
		if _, err := v.load(); err != nil {
			return err
		}
		if err := v.close(); err != nil {
			return err
		}
	}
}

// crowdRole opens so many handles, and says what the last error was.
func crowdRole(_ ground, name string, args []string) error {
	var n int
	fmt.Sscan(args[0], &n)
	section.SetPatience(proctest.Watchdog)
	var last error
	opened := 0
	for range n {
		if _, err := section.Open[plant](name); err != nil {
			last = err
			break
		}
		opened++
	}
	answer("opened", fmt.Sprint(opened), last)
	select {}
}

// A section has as many handles as it has numbers; those of the dead are free again.
func TestAllNumbersAreTaken(t *testing.T) {
	clean(t)
	const processes = 4
	var all []*proctest.Process
	s := open[plant](t, "crowd")
	for i := range processes {
		n := section.Participants / processes
		if i == 0 {
			n-- // s has one
		}
		p := ground{kind: "files"}.start(t, "crowd", "crowd", fmt.Sprint(n))
		if got := p.Expect("opened"); got != fmt.Sprintf("ok %d", n) {
			t.Fatal(got)
		}
		all = append(all, p)
	}
	for _, options := range [][]section.Option{nil, {section.ReadOnly()}} {
		_, err := section.Open[plant]("crowd", options...)
		says(t, err, partywall.ErrBusy, "1024 handles", `section "crowd"`)
	}
	if err := s.Store(plant{Jobs: 7}); err != nil {
		t.Error(err)
	}
	all[1].Kill()
	all[1].Wait()
	p := ground{kind: "files"}.start(t, "crowd", "crowd", fmt.Sprint(section.Participants))
	if got := p.Expect("opened"); !strings.HasPrefix(got, "Busy ") || !strings.Contains(got, "1024 handles") {
		t.Error(got)
	}
	for _, p := range append(all, p) {
		p.Kill()
		p.Wait()
	}
	for range 10 {
		if v := must(open[plant](t, "crowd").Load())(t); v.Jobs != 7 {
			t.Error(v)
		}
	}
}
