package call_test

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/partywall/partywall/call"
)

// The longest bodies, one way and the other. Two copies of 1 GiB exist at a time,
// and a third in the server while it keeps what did not fit.
func TestLongestBodies(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector looks at every byte")
	}
	if testing.Short() {
		t.Skip("-short")
	}
	if free := availableMemory(t); free < 6<<30 {
		t.Skipf("%d MiB of memory are available; 6 GiB are needed", free>>20)
	}
	t.Cleanup(debug.FreeOSMemory)
	f := startProcess(t, config{Quota: 2 << 30})
	c := f.dial()

	body := pattern(call.MaxBody, 5)
	sum := sumOf(body)
	r, got, err := blobM.CallBody(context.Background(), c, blobArg{Out: -1}, body, nil)
	if err != nil || r.Len != call.MaxBody || r.Sum != sum || got != nil {
		t.Fatalf("to the server: %+v, %v", r, err)
	}
	clear(body)
	_, got, err = blobM.CallBody(context.Background(), c, blobArg{Out: call.MaxBody}, nil, body[:0])
	if err != nil || len(got) != call.MaxBody || &got[0] != &body[0] {
		t.Fatalf("from the server: %d bytes, %v", len(got), err)
	}
	want := pattern(251, 1)
	for at := 0; at < len(got); at += 251 {
		if n := min(251, len(got)-at); string(got[at:at+n]) != string(want[:n]) {
			t.Fatalf("from the server: other bytes at %d", at)
		}
	}
}

// availableMemory says how much memory there is without taking it from others.
func availableMemory(t *testing.T) (bytes uint64) {
	t.Helper()
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Skip(err)
	}
	_, rest, _ := strings.Cut(string(info), "MemAvailable:")
	if _, err := fmt.Sscan(rest, &bytes); err != nil {
		t.Skipf("/proc/meminfo: %v", err)
	}
	return bytes << 10
}
