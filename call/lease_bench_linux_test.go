package call_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func init() { call.RegisterRole("copier", copier) }

const leaseSize = 1 << 20

type copied struct{ Last uint64 }

// copyM has its handler copy every byte of the body to memory of its own.
var copyM = call.NewInPlace[struct{}, copied]("copy")

func copier([]string) error {
	srv, err := call.Listen("copier")
	if err != nil {
		return err
	}
	own := pattern(leaseSize, 1)
	copyM.Handle(srv, func(_ context.Context, l *call.Loan[struct{}, copied]) error {
		copy(own, l.Body)
		l.Result.Last = uint64(own[len(own)-1])
		return nil
	})
	fmt.Println("serving")
	go func() {
		io.Copy(io.Discard, os.Stdin)
		srv.Close()
	}()
	return srv.Serve(context.Background())
}

// BenchmarkLease compares a lease of 1 MiB, into which the client copies every byte and
// out of which the server, another process, copies every byte, with the same two copies
// in one process: by two threads, so that the bytes go from one processor to another as
// those of the lease do, and by one, whose caches have all the bytes at the second copy.
// The rounds take turns; the medians and their ratios are reported.
func BenchmarkLease(b *testing.B) {
	b.Setenv("PARTYWALL_DIR", b.TempDir()+"/run")
	server := proctest.Start(b, "copier")
	server.Expect("serving")
	c, err := call.Dial(b.Context(), "copier", call.Expect(copyM))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	source, shared, own := pattern(leaseSize, 2), pattern(leaseSize, 1), pattern(leaseSize, 1)
	var leases, twos, ones []time.Duration
	for b.Loop() {
		source[len(source)-1]++
		leases = append(leases, each(func() {
			err := copyM.Lease(ctx, c, leaseSize, func(l *call.Lease[struct{}, copied]) error {
				copy(l.Body, source)
				return l.Do(ctx)
			})
			if err != nil {
				b.Fatal(err)
			}
		})...)
		second := newCopier(own, shared)
		twos = append(twos, each(func() {
			copy(shared, source)
			second.do()
		})...)
		second.stop()
		ones = append(ones, each(func() {
			copy(shared, source)
			copy(own, shared)
		})...)
	}
	b.StopTimer()
	lease, two, one := median(leases), median(twos), median(ones)
	b.ReportMetric(float64(lease.Nanoseconds()), "lease-p50-ns")
	b.ReportMetric(float64(two.Nanoseconds()), "two-threads-p50-ns")
	b.ReportMetric(float64(one.Nanoseconds()), "one-thread-p50-ns")
	b.ReportMetric(float64(lease)/float64(two), "lease/two-threads")
	b.ReportMetric(float64(lease)/float64(one), "lease/one-thread")
}

// each times f a few times.
func each(f func()) (took []time.Duration) {
	for range 20 {
		start := time.Now()
		f()
		took = append(took, time.Since(start))
	}
	return took
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// copierThread copies when it is told to, in a thread of its own, which never sleeps.
type copierThread struct{ ordered, done atomic.Uint32 }

const stopOrder = 1 << 31

func newCopier(to, from []byte) *copierThread {
	c := new(copierThread)
	go func() {
		runtime.LockOSThread()
		for last := uint32(0); ; {
			switch n := c.ordered.Load(); n {
			case last:
			case stopOrder:
				return
			default:
				copy(to, from)
				c.done.Store(n)
				last = n
			}
		}
	}()
	return c
}

func (c *copierThread) do() {
	n := c.ordered.Add(1)
	for c.done.Load() != n {
	}
}

func (c *copierThread) stop() { c.ordered.Store(stopOrder) }
