//go:build linux || windows

package call

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

func init() {
	roles["victim-server"] = victimProcess
	roles["lend-flood"] = lendFlood
	roles["stall-flood"] = stallFlood
}

// victimProcess is a server whose process an attack could take down: service. It
// serves until its standard input ends.
func victimProcess(args []string) error {
	srv, err := Listen(args[0])
	if err != nil {
		return err
	}
	handleLies(srv)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background()) }()
	fmt.Println("ready")
	for s := bufio.NewScanner(os.Stdin); s.Scan(); {
	}
	return errors.Join(srv.Close(), <-done)
}

// lendFlood lends as many of the smallest possible regions as it is let, through
// as many conns as it is let: each is a mapping in the server, and a process that
// may have no more mappings cannot grow its heap: service.
func lendFlood(args []string) error {
	guard()
	f, err := lendable(4096)
	if err != nil {
		return err
	}
	var liars []*lyingClient
	for range 20 {
		l, err := newLyingClient(args[0])
		if err != nil {
			return err
		}
		liars = append(liars, l)
	}
	var wait sync.WaitGroup
	var taken atomic.Int64
	errs := make([]error, len(liars))
	for i, l := range liars {
		wait.Go(func() {
			n, err := l.lendAll(f)
			taken.Add(int64(n))
			errs[i] = err
		})
	}
	wait.Wait()
	fmt.Println("regions taken:", taken.Load())
	for _, l := range liars {
		errs = append(errs, l.check())
	}
	fmt.Println("outcome", outcomeOf(errors.Join(errs...)))
	return nil
}

// lendAll lends f, of a page, again and again until the server refuses it, or where
// that takes long, a part of that.
func (l *lyingClient) lendAll(f *os.File) (taken int, err error) {
	const batch = 128
	var refused int
	for {
		for range batch {
			l.regions++
			if err := l.send(msgLend, encode(lend{Region: l.regions, Size: 4096}), f); err != nil {
				return taken, err
			}
		}
		for range batch {
			m, err := l.next()
			if err != nil {
				return taken, err
			}
			answer, err := decode[lent](m.payload)
			switch {
			case err != nil:
				return taken, err
			case answer.Refuse.Code == 0:
				taken++
			default:
				refused++
			}
		}
		if refused > 0 || ease > 1 && taken > 32_768/20/ease {
			return taken, nil
		}
	}
}

func TestHostileLendFlood(t *testing.T) {
	skipIfWeak(t)
	setUp(t)
	victim := proctest.Start(t, "victim-server", "victim")
	victim.Expect("ready")
	honest := proctest.Start(t, "honest-client", "victim")
	liar := proctest.Start(t, "lend-flood", "victim")
	if got := verdictOf(t, liar); got != served {
		t.Errorf("the liar's conns: %s", got)
	}
	honest.Say("more")
	if line := honest.Line(); line != "served" {
		t.Errorf("the honest client: %s", line)
	}
	for _, p := range []*proctest.Process{liar, honest, victim} {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// Two hundred clients that say nothing wait for their end side by side, and keep
// nobody else waiting.
func TestHostileStalls(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	shortHandshake(t)
	v := newVictimServer(t)
	liar := proctest.Start(t, "stall-flood", v.Service())
	liar.Expect("stalling")
	v.serves()
	latecomer := proctest.Start(t, "honest-client", v.Service())
	latecomer.Say("more")
	latecomer.Expect("served")
	liar.Say("wait")
	if got := verdictOf(t, liar); got != turnedAway {
		t.Errorf("the liar's conns: %s, want: %s", got, turnedAway)
	}
	for range stalls {
		if err := v.reported(t); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("OnError was told %v", err)
		}
	}
	v.serves()
	for _, p := range []*proctest.Process{liar, latecomer} {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	v.close()
	leaks.Check()
}

const stalls = 200

// stallFlood makes many conns and says nothing: service.
func stallFlood(args []string) error {
	guard()
	var wires []*wire
	for range stalls {
		w, err := dialWire(args[0])
		if err != nil {
			return err
		}
		wires = append(wires, w)
	}
	fmt.Println("stalling")
	bufio.NewScanner(os.Stdin).Scan()
	for _, w := range wires {
		if got, err := w.verdict(); got != turnedAway {
			fmt.Println("outcome", got, err)
			return nil
		}
	}
	fmt.Println("outcome", turnedAway)
	return nil
}
