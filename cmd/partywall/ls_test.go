package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/call"
)

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 59*time.Second + 999*time.Millisecond: "59s",
		time.Minute: "1m00s", 59*time.Minute + 59*time.Second: "59m59s",
		time.Hour: "1h00m", 24*time.Hour - time.Second: "23h59m",
		24 * time.Hour: "1d00h", 100*24*time.Hour + 5*time.Hour: "100d05h", math.MaxInt64: "106751d23h",
	} {
		if got := age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// listed is what three services might say.
func listed(now time.Time) []call.Listing {
	one := call.Times{{From: 1000, To: 1250, Count: 90}}
	two := call.Times{{From: 8000, To: 10_000, Count: 8}, {From: 1 << 30, To: 5 << 28, Count: 2}}
	return []call.Listing{
		{Description: call.Description{
			Service: "a/busy", PID: 4711, UserID: "2147483647", Program: "büro", Started: now.Add(-3*time.Minute - time.Second),
			Conns: 3, InFlight: 2, Calls: 1234567, Errors: 1000, Methods: []call.MethodDescription{
				{Name: "quick", Calls: 1234000, Times: one, Arg: call.TypeDescription{Signature: "{A int64}"}, Result: call.TypeDescription{Signature: "{}"}},
				{Name: "slow", InPlace: true, Calls: 567, Errors: 1000, Times: two, Arg: call.TypeDescription{Signature: "bytes"}, Result: call.TypeDescription{Signature: "string"}},
				{Name: "unused", Arg: call.TypeDescription{Signature: "{}"}, Result: call.TypeDescription{Signature: "{}"}},
			}}},
		{Description: call.Description{Service: "stopped"}, Err: errors.New("service \"stopped\" does not\nanswer")},
		{Description: call.Description{Service: "strange", UserID: "2147483647", Program: "red\x1b[31m\n", Started: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}
}

func TestGrid(t *testing.T) {
	now := time.Date(2024, 2, 29, 12, 0, 0, 0, time.FixedZone("", 3600))
	report := newServicesReport(listed(now))
	var out bytes.Buffer
	if err := printGrid(&out, report.grid(now)); err != nil {
		t.Fatal(err)
	}
	if err := printGrid(&out, report.methodGrid()); err != nil {
		t.Fatal(err)
	}
	want := `SERVICE  PID   USER        PROGRAM   UP     CONNS  CALLS      ERRORS  IN FLIGHT  P50      P99
a/busy   4711  2147483647  büro      3m01s  2      1,234,567  1,000   2          1250 ns  1342.2 ms
stopped  service "stopped" does not answer
strange  0     2147483647  red?[31m  -      0      0          0       0          -        -
SERVICE  METHOD  CALLS      ERRORS  P50      P99        TAKES AND RETURNS
a/busy   quick   1,234,000  0       1250 ns  1250 ns    {A int64} -> {}
a/busy   slow    567        1,000   10.0 µs  1342.2 ms  bytes -> string, in place
a/busy   unused  0          0       -        -          {} -> {}
`
	text := out.String()
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(text) {
		if strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
			t.Errorf("%q has blanks at its end", line)
		}
	}
}

func TestServicesJSON(t *testing.T) {
	var report struct{ Services []map[string]any }
	text, err := json.Marshal(newServicesReport(listed(time.Unix(1e9, 0))))
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err != nil || bytes.Contains(text, []byte("null")) {
		t.Fatalf("%v: %s", err, text)
	}
	if diff := cmp.Diff(map[string]any{"service": "stopped", "error": `service "stopped" does not answer`}, report.Services[1]); diff != "" {
		t.Error(diff)
	}
	busy := report.Services[0]
	for key, want := range map[string]any{
		"service": "a/busy", "pid": 4711.0, "user": strconv.Itoa(math.MaxInt32), "conns": 2.0, "calls": 1234567.0, "in_flight": 2.0,
		"p50_ns": 1250.0, "p99_ns": float64(5 << 28), "started": "2001-09-09T01:43:39Z",
	} {
		if busy[key] != want {
			t.Errorf("%s is %v, want %v", key, busy[key], want)
		}
	}
	if text, err := json.Marshal(newServicesReport(nil)); err != nil || string(text) != `{"services":[]}` {
		t.Errorf("no services are %s, %v", text, err)
	}
}
