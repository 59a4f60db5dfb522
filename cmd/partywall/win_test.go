package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/bits"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

func printed(t *testing.T, windows []windowReport, hidden, asJSON bool) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	if err := printWindows(cmd, windows, hidden, asJSON); err != nil {
		t.Fatal(err)
	}
	return out.String(), errs.String()
}

func TestPrintWindows(t *testing.T) {
	windows := []windowReport{
		{Handle: "0x10040", PID: 4711, Thread: 3, Image: "server.exe", Class: "CompareServerC", Title: "Größe\x1b[31m\nx", Visible: true},
		{Handle: "0x5", PID: 8, Class: "hidden"},
		{Handle: "0x6", PID: 8, Image: "a.exe", Class: "m", Title: "t", MessageOnly: true},
	}
	out, errs := printed(t, windows, true, false)
	want := `HANDLE   PID   IMAGE       CLASS           VISIBLE       TITLE
0x10040  4711  server.exe  CompareServerC  yes           Größe?[31m x
0x5      8     -           hidden          no
0x6      8     a.exe       m               message-only  t
`
	if diff := cmp.Diff(want, out); diff != "" || errs != "" {
		t.Errorf("%s%s", diff, errs)
	}
	out, _ = printed(t, windows, false, true)
	var got []map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]map[string]any{{
		"handle": "0x10040", "pid": 4711.0, "thread": 3.0, "image": "server.exe", "class": "CompareServerC",
		"title": "Größe\x1b[31m\nx", "visible": true, "message_only": false,
	}}, got); diff != "" {
		t.Error(diff)
	}
	for _, test := range []struct {
		windows []windowReport
		asJSON  bool
		out     string
		errs    string
	}{
		{nil, false, "", "no windows\n"},
		{windows[1:], false, "", "no visible windows; --all lists the hidden ones that match, 2\n"},
		{nil, true, "[]\n", ""},
		{windows[1:], true, "[]\n", ""},
	} {
		if out, errs := printed(t, test.windows, false, test.asJSON); out != test.out || errs != test.errs {
			t.Errorf("%v: %q, %q", test, out, errs)
		}
	}
}

func TestParseWord(t *testing.T) {
	for text, want := range map[string]uintptr{
		"0": 0, "5": 5, "0x10040": 0x10040, "-1": ^uintptr(0), "-0x2": ^uintptr(1), "4294967295": 1<<32 - 1,
	} {
		if got, err := parseWord(text); err != nil || got != want {
			t.Errorf("%s: %#x, %v", text, got, err)
		}
	}
	bad := []string{"", "x", "1.5", "--1", "0x10000000000000000", "-9223372036854775809", "1 "}
	if bits.UintSize == 32 {
		bad = append(bad, "0x100000000")
	}
	for _, text := range bad {
		if got, err := parseWord(text); err == nil {
			t.Errorf("%q is %#x", text, got)
		}
	}
}

func TestInvokeReport(t *testing.T) {
	layout, err := parseStruct("a:u8=1,b:f64=nan,c:text16[2]=é", false)
	if err != nil {
		t.Fatal(err)
	}
	i := invoking{layout: layout}
	text := "a=1 (u8)\nb=NaN (f64)\nc=\"é\" (text16[2])\nanswer=-5 (0xfffffffffffffffb)\n"
	object := `{"answer":-5,"fields":{"a":1,"b":"NaN","c":"é"}}`
	check := func(wantText, wantJSON string) {
		t.Helper()
		if bits.UintSize == 64 {
			if diff := cmp.Diff(wantText, i.text(^uintptr(4), layout.bytes())); diff != "" {
				t.Error(diff)
			}
		}
		if got, err := json.Marshal(i.report(^uintptr(4), layout.bytes())); err != nil || string(got) != wantJSON {
			t.Errorf("%s, %v, want %s", got, err, wantJSON)
		}
	}
	check(text, object)
	i.hex = true
	check(text+`00000000  01 00 00 00 00 00 00 00  01 00 00 00 00 00 f8 7f  |................|
00000010  e9 00 00 00 00 00 00 00                           |........|
`, object[:len(object)-1]+`,"hex":"0100000000000000010000000000f87fe900000000000000"}`)
}

func TestInvokeRounds(t *testing.T) {
	for d, want := range map[time.Duration]int{
		time.Millisecond: 5, 3 * time.Second: 7, 2 * time.Second: 5, 10 * time.Second: 25, time.Hour: 101,
	} {
		if got := (&benchInvoke{duration: d}).rounds(); got != want || got%2 == 0 {
			t.Errorf("%v: %d rounds, want %d", d, got, want)
		}
	}
}

// Ways take turns, and each figure is the median of its own rounds.
func TestInvokeCompare(t *testing.T) {
	b := benchInvoke{duration: time.Millisecond}
	taking := func(took, finding time.Duration) way {
		return func(context.Context, uint64) (time.Duration, time.Duration, error) { return took, finding, nil }
	}
	r, err := b.compare(t.Context(), ways{nine: taking(31, 11), cached: taking(10, 0), tcp: taking(20, 0), call: taking(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Calls < 15 {
		t.Errorf("%d calls", r.Calls)
	}
	r.Calls = 1234
	want := &invokeBench{
		Rounds: 5, Calls: 1234, NineP50: 31, NineP99: 31, EightP50: 20, EightP99: 20, KeptP50: 10, KeptP99: 10,
		TCPP50: 20, TCPP99: 20, CallP50: 1, CallP99: 1, Ratio: 3.1, Eight: 2, TCPRatio: 2, NineCall: 31,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	if err := errors.Join(printGrid(&out, r.grid()), printTable(&out, r.table())); err != nil {
		t.Fatal(err)
	}
	text := `16 BYTES     P50    P99    TO INVOKE
nine steps   31 ns  31 ns  3.10
eight steps  20 ns  20 ns  2.00
invoke       10 ns  10 ns  1.00
TCP          20 ns  20 ns  2.00
call         1 ns   1 ns   0.1000

nine steps  take 31 times as long as a call
requests    1,234 in 5 rounds, every answer verified
`
	if diff := cmp.Diff(text, out.String()); diff != "" {
		t.Error(diff)
	}
	failing := func(context.Context, uint64) (time.Duration, time.Duration, error) { return 0, 0, errWrong }
	if _, err := b.compare(t.Context(), ways{nine: taking(1, 0), cached: failing, tcp: taking(1, 0), call: taking(1, 0)}); !errors.Is(err, errWrong) {
		t.Errorf("a wrong answer: %v", err)
	}
}
