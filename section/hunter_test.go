package section_test

import (
	"fmt"
	"math/bits"
	"os"
	"sync/atomic"
	"time"
)

// progress is what a reader or a watcher of the hunt has seen.
type progress struct {
	version atomic.Uint64
	checks  atomic.Uint64
	count   uint64
	times   [64 * 8]uint64 // a histogram: eight steps to each doubling
}

// check checks a value, and that nothing goes back.
func (p *progress) check(version uint64, w []uint64, took time.Duration) error {
	if i := mixed(w); i >= 0 {
		return fmt.Errorf("a mixture: word %d of %d in version %d, update %d", i, len(w), version, w[wordCount])
	}
	if last := p.version.Load(); version < last || w[wordCount] < p.count {
		return fmt.Errorf("version %d with update %d after version %d with update %d", version, w[wordCount], last, p.count)
	}
	if version != w[wordCount] {
		return fmt.Errorf("version %d with the value of update %d", version, w[wordCount])
	}
	p.count = w[wordCount]
	p.version.Store(version)
	p.checks.Add(1)
	p.times[step(took)]++
	return nil
}

func step(d time.Duration) int {
	n := uint64(max(d, 1))
	e := bits.Len64(n) - 1
	if e < 3 {
		return int(n)
	}
	return e*8 + int(n>>(e-3)&7)
}

// quantile returns an upper bound of the times.
func (p *progress) quantile(q float64) time.Duration {
	var all, below uint64
	for _, n := range p.times {
		all += n
	}
	for i, n := range p.times {
		if below += n; n > 0 && float64(below) >= q*float64(all) {
			if i < 24 {
				return time.Duration(i)
			}
			e := i / 8
			return time.Duration(uint64(8+i%8+1) << (e - 3))
		}
	}
	return 0
}

func (p *progress) report(what string) string {
	return fmt.Sprintf("%d %s, p50 %v, p99 %v, p99.9 %v, longest %v", p.checks.Load(), what, p.quantile(0.5), p.quantile(0.99), p.quantile(0.999), p.quantile(1))
}

// guard ends the process if it gets nothing for too long although there is something: a version
// that newest has. It also says which version was seen last, whenever that rests.
func (p *progress) guard(who string, newest func() (uint64, error)) (stop func()) {
	done := make(chan struct{})
	go func() {
		said, last, since := uint64(0), uint64(0), time.Now()
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
			checks := p.checks.Load()
			if checks != last {
				last, since = checks, time.Now()
				continue
			}
			if seen := p.version.Load(); seen != said {
				said = seen
				fmt.Printf("seen %d.\n", seen)
			}
			if time.Since(since) < hang {
				continue
			}
			if version, err := newest(); err != nil || version != p.version.Load() || version == 0 {
				fmt.Fprintf(os.Stderr, "%s hangs: it has seen version %d for %v, and there is %d (%v)\n", who, p.version.Load(), time.Since(since), version, err)
				os.Exit(3)
			}
		}
	}()
	return func() { close(done) }
}
