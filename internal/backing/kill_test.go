package backing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// Words in the tests' anchors: who has the name lock, and after the table's who, who has the mark.
const (
	insideWord = 192
	markedWord = testTable + 16
)

// comeAndGo opens and closes backings, until somebody else has what this process has.
func comeAndGo(g ground) error {
	for round := 1; ; round++ {
		if err := comeAndGoOnce(g, uint64(os.Getpid())); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
}

func comeAndGoOnce(g ground, me uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	b, done, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	// What dead ones have written is overwritten, and what is written here stays.
	word(b, insideWord).Store(me)
	number := 0
	for ok := false; !ok; {
		if ok, err = b.Claim(number); err != nil {
			return err
		}
		if !ok {
			number++
		}
		if number == testNumbers {
			return fmt.Errorf("no number of %d is free", number)
		}
	}
	mine := word(b, markedWord+number*testStride)
	mine.Store(me)
	if err := same("the name lock", word(b, insideWord).Load(), me); err != nil {
		return err
	}
	b.Unlock()
	for range rand.IntN(3) {
		time.Sleep(rand.N(100 * time.Microsecond))
		if n := rand.IntN(testNumbers); n != number {
			b.Alive(n)
		}
	}
	if err := same("the mark", mine.Load(), me); err != nil {
		return err
	}
	if err := b.Lock(ctx); err != nil {
		return err
	}
	word(b, insideWord).Store(me)
	if err := same("the mark", mine.Load(), me); err != nil {
		return err
	}
	if err := same("the name lock", word(b, insideWord).Load(), me); err != nil {
		return err
	}
	b.Release()
	if !b.Anyone() {
		if err := b.Destroy(); err != nil {
			return err
		}
	}
	b.Unlock()
	return nil
}

func same(what string, got, me uint64) error {
	if got != me {
		return fmt.Errorf("processes %d and %d have %s", me, got, what)
	}
	return nil
}

// However many come and go, and are killed at whatever step, one has the name lock at a time, and one has
// a mark; and what they leave is nobody's.
func TestKilledAtAnyStep(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		kills := 60
		if testing.Short() {
			kills = 15
		}
		begin := func() *proctest.Process {
			return proctest.Start(t, "come and go", g.kind, g.where)
		}
		all := []*proctest.Process{begin(), begin(), begin(), begin()}
		for _, p := range all {
			p.Expect("ready")
		}
		for range kills {
			i := rand.IntN(len(all))
			time.Sleep(rand.N(5 * time.Millisecond))
			all[i].Kill()
			check(t, all[i])
			all[i] = begin()
			all[i].Expect("ready")
		}
		for _, p := range all {
			p.Kill()
			check(t, p)
		}
		b, _ := g.must(t)
		lock(t, b)
		expect(t, "anyone", b.Anyone(), false)
		for n := range testNumbers {
			ok, err := b.Claim(n)
			if !ok || err != nil {
				t.Errorf("claim of %d: %t, %v", n, ok, err)
			}
			if v, ok := b.(*View); ok {
				v.mark(n).Store(0)
			}
		}
		b.Unlock()
	})
}

// check fails the test if a process that was killed has said something before.
func check(t *testing.T, p *proctest.Process) {
	t.Helper()
	for line := range p.Lines() {
		if strings.HasPrefix(line, "wrong: ") {
			t.Error(line)
		}
	}
	p.Wait()
}
