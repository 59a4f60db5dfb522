//go:build linux || windows

package call

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

func init() {
	roles["hunting-client"] = huntingClient
	roles["hunting-server"] = huntingServer
}

// huntTime is how long each hunt lasts: $PARTYWALL_HOSTILE_HUNT, else 3 s.
func huntTime(t testing.TB) time.Duration {
	text := os.Getenv("PARTYWALL_HOSTILE_HUNT")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// huntSeed is $PARTYWALL_HOSTILE_SEED, else a new one each time.
func huntSeed(t testing.TB) uint64 {
	text := os.Getenv("PARTYWALL_HOSTILE_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// huntingClient hunts a server through one conn after the other: service, seed,
// how long.
func huntingClient(args []string) error {
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	h := newHunter(seed)
	n := 0
	progress := time.NewTicker(100 * time.Millisecond)
	for end := time.Now().Add(d); time.Now().Before(end); n++ {
		select {
		case <-progress.C:
			fmt.Println("hunting")
		default:
		}
		if err := h.hunt(args[0]); err != nil {
			return err
		}
	}
	fmt.Println("hunted")
	fmt.Println("conns:", n)
	l, err := newLyingClient(args[0])
	if err == nil {
		err = l.check()
	}
	fmt.Println("outcome", outcomeOf(err))
	return nil
}

func TestHostileHuntOfServer(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	v := newVictimServer(t)
	held := watchHoldings(t)
	seed := huntSeed(t)
	t.Logf("PARTYWALL_HOSTILE_SEED=%d", seed)
	liar := proctest.Start(t, "hunting-client", v.Service(), fmt.Sprint(seed), huntTime(t).String())
	for liar.Line() == "hunting" {
		v.serves()
	}
	if got := verdictOf(t, liar); got != served {
		t.Errorf("an honest conn after the hunt: %s", got)
	}
	if err := liar.Wait(); err != nil {
		t.Errorf("the liar: %v", err)
	}
	eventually(t, "the honest client's session alone", func() bool { return len(v.all()) == 1 })
	held.check()
	v.close()
	leaks.Check()
}

// huntingServer is a server that answers honestly and scribbles over all that it
// shares with its clients, one after the other: service, seed. It ends with its
// standard input.
func huntingServer(args []string) error {
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	listener, err := takeName(args[0])
	if err != nil {
		return err
	}
	fmt.Println("listening")
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		listener.Close()
	}()
	for n := uint64(0); ; n++ {
		l, err := newLyingServer(listener)
		if err != nil {
			return nil // no more clients
		}
		if err := l.greet(honestly); err != nil {
			return err
		}
		var scribbling sync.WaitGroup
		scribbling.Go(func() { l.scribble(newHunter(seed + n)) })
		if err := l.serve(); err != nil {
			return err
		}
		scribbling.Wait()
		l.close()
	}
}

// scribble writes into the control region, and into what the client has lent,
// until the victim ends the conn: at first seldom, so that calls succeed between.
func (l *lyingServer) scribble(h hunter) {
	for pause := 2 * time.Millisecond; ; pause = max(pause*9/10, 10*time.Microsecond) {
		select {
		case <-l.over:
			return
		case <-time.After(pause):
		}
		mem := l.control.region.Bytes()[:slotsOffset+8*l.slotSize()]
		h.scribble(mem)
		if h.IntN(10) == 0 { // where it is read: the beginning of a response part
			h.scribble(mem[slotsOffset+h.IntN(4)*l.slotSize()+l.requestSize():][:partHeader/2])
		}
		l.mu.Lock()
		for _, r := range l.lent {
			h.scribble(r.Bytes())
		}
		l.mu.Unlock()
	}
}

func (l *lyingServer) close() {
	l.hangUp()
	l.control.region.Close()
	for _, r := range l.lent {
		r.Close()
	}
}

func TestHostileHuntOfClient(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	v := newVictimClient(t)
	seed := huntSeed(t)
	t.Logf("PARTYWALL_HOSTILE_SEED=%d", seed)
	liar := proctest.Start(t, "hunting-server", "liar", fmt.Sprint(seed))
	liar.Expect("listening")
	var conns, right, wrong, failed int
	for end := time.Now().Add(huntTime(t)); time.Now().Before(end); conns++ {
		r, w, f := v.sufferHunt(t)
		right, wrong, failed = right+r, wrong+w, failed+f
		v.serves()
	}
	t.Logf("%d conns; %d calls right, %d wrong, %d failed", conns, right, wrong, failed)
	if right == 0 {
		t.Error("no call was answered")
	}
	if err := liar.Wait(); err != nil {
		t.Errorf("the liar: %v", err)
	}
	v.close()
	leaks.Check()
}

// huntedCalls are what a hunted client asks for.
var huntedCalls = []func(context.Context, *Conn) error{
	addOnce, addBody, noteEchoed(10), noteEchoed(3000), bytesEchoed(1000, 100), placeOnce(2000),
	leasing(func(ctx context.Context, l *spotLease) error {
		var err error
		for range 5 {
			err = errors.Join(err, l.Do(ctx))
			l.touch()
		}
		return err
	}),
	func(ctx context.Context, c *Conn) error {
		_, err := c.Describe(ctx)
		return err
	},
	dynamically,
}

// sufferHunt makes calls through one conn until it ends, or a thousand of them.
// A result may be wrong, for it is the liar's to give; but each call returns.
func (v *victimClient) sufferHunt(t *testing.T) (right, wrong, failed int) {
	c, err := Dial(t.Context(), "liar")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	calls := make(chan error)
	var callers sync.WaitGroup
	for i := range 4 {
		callers.Go(func() {
			for n := range 250 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				calls <- huntedCalls[(i+n)%len(huntedCalls)](ctx, c)
				cancel()
				if c.Err() != nil {
					return
				}
			}
		})
	}
	go func() {
		callers.Wait()
		close(calls)
	}()
	for {
		select {
		case err, ok := <-calls:
			switch {
			case !ok:
				return right, wrong, failed
			case err == nil:
				right++
			case errors.Is(err, errWrong):
				wrong++
			default:
				failed++
			}
		case <-time.After(patience):
			t.Fatal("a call does not return")
		}
	}
}
