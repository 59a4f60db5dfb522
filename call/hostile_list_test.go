//go:build linux || windows

package call

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

// sleights are how the services of listedLiars lie to whoever lists them.
var sleights = map[string]func(*lyingServer) error{
	"refuses": func(l *lyingServer) error { return l.send(msgRefuse, encode(refusal{2, ugly})) },
	"version": func(l *lyingServer) error { return l.send(msgRefuse, encode(refusal{1, ugly})) },
	"garbage": greetRaw([]byte("garbage")),
	"stalls":  func(*lyingServer) error { return nil },
	"gone":    func(l *lyingServer) error { return l.hangUp() },
	"look-up": silent(func(l *lyingServer) { l.onResolve = func(resolve) error { return nil } }),
	"nobody": silent(func(l *lyingServer) {
		l.onResolve = func(r resolve) error { return l.send(msgResolved, encode(resolved{ID: r.ID})) }
	}),
	"answer":    silent(func(*lyingServer) {}),
	"self":      speaking("no-lie"),
	"ugly":      speaking("program-ugly"),
	"millions":  speaking("millions"),
	"kept":      lyingTo(answering(func(f *responseFields) { f.status, f.resultLen = statusKept, 1<<20 })),
	"over":      lyingTo(answering(func(f *responseFields) { f.resultLen = 1<<32 - 1 })),
	"shut-down": lyingTo(saying(statusRefused, ugly)),
}

// silent is a conn on which nothing more is said.
func silent(prepare func(*lyingServer)) func(*lyingServer) error {
	return lyingTo(func(*lyingServer) error { return nil }, prepare)
}

// speaking says one of the selves.
func speaking(name string) func(*lyingServer) error {
	return lyingTo(func(l *lyingServer) error { return l.says(selves()[name]) })
}

// lyingTo greets honestly before it lies.
func lyingTo(lie func(*lyingServer) error, prepare ...func(*lyingServer)) func(*lyingServer) error {
	return func(l *lyingServer) error {
		for _, p := range prepare {
			p(l)
		}
		if err := l.greet(honestly); err != nil {
			return err
		}
		return lie(l)
	}
}

func init() { roles["listed-liars"] = listedLiars }

// listedLiars takes a service's name for each sleight, and one that it does not answer
// at all.
func listedLiars([]string) error {
	for name, lie := range sleights {
		listener, err := takeName("lists." + name)
		if err != nil {
			return err
		}
		go func() {
			var open []*lyingServer
			defer func() { runtime.KeepAlive(open) }() // the collector would close what nobody refers to
			for {
				l, err := newLyingServer(listener)
				if err == nil {
					open = append(open, l)
					err = lie(l)
				}
				if err != nil {
					fmt.Println(name, err)
				}
			}
		}()
	}
	deaf, err := takeName("lists.deaf")
	if err != nil {
		return err
	}
	defer deaf.Close()
	fmt.Println("listening")
	bufio.NewScanner(os.Stdin).Scan()
	return nil
}

// Whatever the services of a user say or do not say, List returns, with each of those that
// are alive, and with the truth of the honest one.
func TestHostileList(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	v := newVictimClient(t)
	held := watchHoldings(t)
	liars := proctest.Start(t, "listed-liars")
	liars.Expect("listening")
	want := map[string]error{
		"honest":        nil,
		"lists.version": partywall.ErrVersion,
		"lists.garbage": partywall.ErrProtocol,
		"lists.stalls":  os.ErrDeadlineExceeded,
		"lists.look-up": os.ErrDeadlineExceeded,
		"lists.answer":  os.ErrDeadlineExceeded,
		"lists.deaf":    os.ErrDeadlineExceeded,
		"lists.kept":    os.ErrDeadlineExceeded,
		"lists.self":    nil,
		"lists.ugly":    nil,
		"lists.over":    partywall.ErrProtocol,
		// Those who say that they are gone are left out: lists.refuses, gone, nobody, shut-down.
		"lists.millions": partywall.ErrLayout,
	}
	listings := map[string]Listing{}
	for l := range listInTime(t) {
		listings[l.Service] = l
		if err := fitToShow(l.Description); err != nil {
			t.Errorf("%s: %v", l.Service, err)
		}
		if l.Err != nil {
			expectError(t, l.Service, l.Err, want[l.Service])
		}
	}
	if got, all := slices.Sorted(maps.Keys(listings)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, all) {
		t.Errorf("listed are %q, want %q", got, all)
	}
	if l := listings["honest"]; l.Err != nil || l.PID != v.server.PID() || len(l.Methods) != len(lieCores)-1 {
		t.Errorf("the honest one: %+v", l)
	}
	v.serves()
	if err := liars.Wait(); err != nil {
		t.Error(err)
	}
	held.check()
	v.close()
	leaks.Check()
}

// listInTime lists what is there.
func listInTime(t *testing.T) func(func(Listing) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start := time.Now()
	listings, err := List(ctx)
	if err != nil || ctx.Err() != nil {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
	return slices.Values(listings)
}
