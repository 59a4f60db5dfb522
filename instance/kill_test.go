package instance_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

var killRounds = flag.Int("kills", 0, "how many first instances are killed; 0 is a few")

func init() { roles["victim"] = victim }

// victim is a first instance that will be killed. It notes in a file what it is given, before that is
// confirmed: the write is the kernel's when it returns, so that no kill takes it back. Its loop takes its
// time now and then, so that launches wait.
func victim(args []string) error {
	notes, err := os.OpenFile(args[1], os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	instance.WhenTaken(func(l instance.Launch) {
		if _, err := notes.WriteString(l.Args[0] + "\n"); err != nil {
			panic(err)
		}
	})
	i, err := instance.Acquire(context.Background(), args[0])
	if err != nil {
		return err
	}
	fmt.Println("first")
	random := rand.New(rand.NewPCG(n, 1))
	for _, err := range i.Launches(context.Background()) {
		if err != nil {
			return err
		}
		if random.IntN(2) == 0 {
			time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
		}
	}
	return nil
}

// A hunt is what killing first instances has come to.
type hunt struct {
	confirmed int      // launches
	first     int      // senders that became the first
	again     int      // launches that somebody had been given who did not live to confirm them
	lost      []string // launches that were confirmed, and that nobody was given
}

// A sending is what one sender has seen.
type sending struct {
	confirmed []string
	first     string // the launch with which it became the first
	err       error
}

// send sends launches until it becomes the first, which it does not stay.
func send(ctx context.Context, name, who string) (s sending) {
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s.%d", who, n)
		i, err := instance.Acquire(ctx, name, instance.Args(id))
		switch {
		case i != nil:
			s.first = id
			i.Close()
			return s
		case errors.Is(err, partywall.ErrRunning):
			s.confirmed = append(s.confirmed, id)
		default:
			s.err = err
			return s
		}
	}
}

// kill has senders hand over as fast as they can, and kills who receives it, again and again.
func kill(t *testing.T, rounds int) (h hunt) {
	prepare(t)
	random := seed(t)
	notes := filepath.Join(t.TempDir(), "notes")
	const senders = 8
	longest := 50 * time.Millisecond
	if runtime.GOOS == "windows" {
		longest = 400 * time.Millisecond // Wine's processes are slower
	}
	for round := range rounds {
		p := proctest.Start(t, "victim", "victim", notes, fmt.Sprint(random.Uint64()))
		p.Expect("first")
		ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
		sendings := make([]sending, senders)
		var sending sync.WaitGroup
		for i := range senders {
			sending.Go(func() { sendings[i] = send(ctx, "victim", fmt.Sprintf("%d.%d", round, i)) })
		}
		time.Sleep(time.Duration(random.Int64N(int64(longest))))
		p.Kill()
		if err := p.Wait(); err == nil {
			t.Fatal("the victim has ended by itself")
		}
		sending.Wait()
		cancel()
		text, err := os.ReadFile(notes)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		given := map[string]bool{}
		for _, id := range strings.Fields(string(text)) {
			given[id] = true
		}
		for _, s := range sendings {
			if s.err != nil {
				t.Errorf("round %d: %v", round, s.err)
			}
			h.confirmed += len(s.confirmed)
			for _, id := range s.confirmed {
				if !given[id] {
					h.lost = append(h.lost, id)
				}
			}
			if s.first != "" {
				h.first++
				if given[s.first] {
					h.again++
				}
			}
		}
		if n := bytes.Count(text, []byte("\n")); n != len(given) {
			t.Errorf("round %d: %d launches were given, %d of them different ones", round, n, len(given))
		}
		if h.lost != nil {
			return h
		}
		_ = os.Remove(notes)
	}
	return h
}

func (h hunt) String() string {
	return fmt.Sprintf("%d launches confirmed, %d senders became the first, %d of them with a launch that the dead one had been given", h.confirmed, h.first, h.again)
}

// The first is killed at random instants: no launch that was confirmed is lost, and the
// senders become the first.
func TestKill(t *testing.T) {
	rounds := 20
	if testing.Short() || raceEnabled || runtime.GOOS == "windows" {
		rounds = 8
	}
	if *killRounds != 0 {
		rounds = *killRounds
	}
	h := kill(t, rounds)
	for _, id := range h.lost {
		t.Errorf("launch %s was confirmed, and nobody was given it", id)
	}
	if h.first == 0 {
		t.Error("no sender has become the first")
	}
	t.Logf("%d kills: %v", rounds, h)
}
