package call_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
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
// out of which the server, another process, copies every byte, with the same two
// copies in one process. The rounds of both take turns; the medians and their ratio
// are reported.
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
	var leases, copies []time.Duration
	for b.Loop() {
		start := time.Now()
		err := copyM.Lease(ctx, c, leaseSize, func(l *call.Lease[struct{}, copied]) error {
			copy(l.Body, source)
			return l.Do(ctx)
		})
		if err != nil {
			b.Fatal(err)
		}
		leases = append(leases, time.Since(start))

		start = time.Now()
		copy(shared, source)
		copy(own, shared)
		copies = append(copies, time.Since(start))
		source[len(source)-1]++
	}
	b.StopTimer()
	slices.Sort(leases)
	slices.Sort(copies)
	lease, twice := leases[len(leases)/2], copies[len(copies)/2]
	b.ReportMetric(float64(lease.Nanoseconds()), "lease-p50-ns")
	b.ReportMetric(float64(twice.Nanoseconds()), "copies-p50-ns")
	b.ReportMetric(float64(lease)/float64(twice), "lease/copies")
}
