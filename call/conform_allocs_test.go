package call_test

import (
	"context"
	"math"
	"testing"

	"github.com/partywall/partywall/call"
)

// A call of fixed layout allocates nothing, neither here nor in the server.
func TestCallsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, and empties pools")
	}
	f := startProcess(t, config{})
	c := f.dial()
	var arg [64]byte
	tests := []struct {
		what string
		call func() error
	}{
		{"add", func() error { _, err := addM.Call(context.Background(), c, [2]int64{1, 2}); return err }},
		{"64 bytes", func() error { _, err := echo64.Call(context.Background(), c, arg); return err }},
		{"nothing", func() error { _, err := echoNothing.Call(context.Background(), c, struct{}{}); return err }},
		{"padded", func() error { _, err := echoPadded.Call(context.Background(), c, padded{A: true}); return err }},
		{"body of 100 bytes", func() error {
			_, _, err := addM.CallBody(context.Background(), c, [2]int64{1, 2}, arg[:], nil)
			return err
		}},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			for range 1000 {
				if err := test.call(); err != nil {
					t.Fatal(err)
				}
			}
			// A handler that the system interrupts counts as slow, and the next ones then run on goroutines of
			// their own, which are allocated: the best of ten windows is without.
			const runs, windows = 2_000, 10
			best := math.Inf(1)
			for range windows {
				before := mallocs(t, c)
				here := testing.AllocsPerRun(runs, func() {
					if err := test.call(); err != nil {
						t.Fatal(err)
					}
				})
				best = min(best, float64(mallocs(t, c)-before)/runs)
				if here != 0 {
					t.Fatalf("%.4f allocations in each call here", here)
				}
			}
			t.Logf("%.4f allocations in each call there", best)
			if best >= 0.01 {
				t.Errorf("%.4f allocations in each call there", best)
			}
		})
	}
}

// mallocs asks the server how often it has allocated.
func mallocs(t *testing.T, c *call.Conn) int64 {
	t.Helper()
	n, err := mallocsM.Call(context.Background(), c, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	return n.N
}
