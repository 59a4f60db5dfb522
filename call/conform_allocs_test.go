package call_test

import (
	"context"
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
			const runs = 20_000
			for range 1000 {
				if err := test.call(); err != nil {
					t.Fatal(err)
				}
			}
			before := mallocs(t, c)
			here := testing.AllocsPerRun(runs, func() {
				if err := test.call(); err != nil {
					t.Fatal(err)
				}
			})
			there := float64(mallocs(t, c)-before) / runs
			t.Logf("%.4f allocations in each call here, %.4f there", here, there)
			if here != 0 || there >= 0.01 {
				t.Errorf("%.4f allocations in each call here, %.4f there", here, there)
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
