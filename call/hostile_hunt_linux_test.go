package call

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
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

// A hunter writes what nobody has thought of.
type hunter struct{ *rand.Rand }

func newHunter(seed uint64) hunter { return hunter{rand.New(rand.NewPCG(seed, 0))} }

// word is a random word, more often one at which arithmetic goes wrong.
func (h hunter) word() uint64 {
	switch h.IntN(4) {
	case 0:
		return h.Uint64()
	case 1:
		return uint64(h.IntN(16))
	case 2:
		return 1<<h.IntN(64) - uint64(h.IntN(3))
	}
	return math.MaxUint64 - uint64(h.IntN(128))
}

// scribble writes one random word somewhere into memory.
func (h hunter) scribble(mem []byte) {
	if at := 4 * h.IntN(len(mem)/4-1); h.IntN(2) == 0 {
		binary.LittleEndian.PutUint32(mem[at:], uint32(h.word()))
	} else {
		binary.LittleEndian.PutUint64(mem[at:], h.word())
	}
}

// request makes a request that is honest but for one or two fields.
func (h hunter) request() requestFields {
	f := ordinary(uint32(1 + h.IntN(keepNumber)))
	if f.method == holdNumber { // it has to end some time
		f.flags, f.deadline = flagCancellable|flagDeadline, 1
	}
	for range h.IntN(3) {
		switch h.IntN(7) {
		case 0:
			f.method = uint32(h.word())
		case 1:
			f.flags = uint32(h.IntN(2 * knownFlags))
		case 2:
			f.argLen = uint32(h.word())
		case 3:
			f.region = uint32(h.IntN(4))
		case 4:
			f.deadline = int64(h.word())
		case 5:
			f.bodyLen = h.word()
		case 6:
			f.region, f.bodyLen = 1, uint64(h.IntN(2*page64K))
		}
	}
	return f
}

// hunt attacks through one conn until it is ended, or for a while.
func (h hunter) hunt(service string) error {
	l, err := newLyingClient(service)
	if err != nil {
		return err
	}
	defer func() {
		l.conn.Close()
		l.control.region.Close()
	}()
	blind := h.IntN(2) == 0
	if !blind {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
	}
	for range 300 {
		slot := h.IntN(8)
		switch {
		case blind:
			for range 1 + h.IntN(20) {
				h.scribble(l.control.region.Bytes())
			}
			err = l.ring()
		case h.IntN(10) == 0:
			h.scribble(l.control.region.Bytes()[:slotsOffset+8*l.slotSize()])
			err = l.ring()
		default:
			l.argument(slot, int64(h.IntN(1<<20)), int64(h.word()))
			err = l.publish(slot, h.request())
			if err == nil && h.IntN(4) > 0 { // the answer may be lost in the liar's own scribble
				_, err = l.question("lie.add")
			}
		}
		if err != nil {
			break
		}
	}
	if errors.Is(err, errEnded) {
		err = nil
	}
	return err
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
	listener, err := listenRaw(args[0])
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
	l.conn.Close()
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
			for range 250 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				if i == 0 {
					calls <- addBody(ctx, c)
				} else {
					calls <- addOnce(ctx, c)
				}
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
