package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/examples/compare"
)

func TestPrintTable(t *testing.T) {
	var out bytes.Buffer
	err := printTable(&out, []row{{"short", "1"}, {}, {"µs and more", "two words"}, {"none", ""}})
	if err != nil {
		t.Fatal(err)
	}
	want := "short        1\n\nµs and more  two words\nnone\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 999999: "999,999",
		1000000: "1,000,000", math.MaxUint64: "18,446,744,073,709,551,615",
	} {
		if got := grouped(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0 ns", 9_999: "9999 ns", 10_000: "10.0 µs", 9_999_000: "9999.0 µs", 10_000_000: "10.0 ms",
	} {
		if got := duration(ns); got != want {
			t.Errorf("%d: got %s, want %s", ns, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("dial %q: %w", "x", partywall.ErrNotFound), `dial "x": not found`},
		{errors.New("partywall: first"), "first"},
		{errors.New("a\nb\r\n\tc"), "a b c"},
		{errors.New("red \x1b[31mtext\a"), "red ?[31mtext?"},
		{errors.New("Größe\u202e"), "Größe?"},
	} {
		if got := oneLine(tt.err); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.err, got, tt.want)
		}
	}
}

// No figure that a report can hold has no JSON.
func TestReportsAreJSON(t *testing.T) {
	var demo demoReport
	demo.judge(compare.Verdict{PSNR: math.Inf(1), SSIM: math.NaN()})
	var bench benchReport
	var nothing usages
	bench.fill(&loadResult{}, nothing, nothing) // a clock so coarse that no time went by
	for _, report := range []any{demo, bench} {
		if text, err := json.Marshal(report); err != nil {
			t.Errorf("%T: %v", report, err)
		} else if bytes.Contains(text, []byte("NaN")) {
			t.Errorf("%s", text)
		}
	}
}

func TestDemoTable(t *testing.T) {
	report := demoReport{ServerPID: 12, ClientPID: 34, Width: 2000, Height: 1000, Steps: []step{{"connect", 1_234_567}}}
	report.judge(compare.Verdict{MSE: 0.25, PSNR: 54.1514, SSIM: 0.9999, Differing: 150, MinX: 3, MinY: 4, MaxX: 13, MaxY: 24})
	var out bytes.Buffer
	if err := printTable(&out, report.table()); err != nil {
		t.Fatal(err)
	}
	want := `images     2000 x 1000 pixels
differing  150 pixels (under 0.01 %), in 10 x 20 at 3,4
MSE        0.2500
PSNR       54.15 dB
SSIM       0.999900

client     process 34
server     process 12

connect        1.235 ms
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// screen passes on what is written to it.
type screen chan string

func (s screen) Write(p []byte) (int, error) {
	s <- string(p)
	return len(p), nil
}

func TestProgress(t *testing.T) {
	s := make(screen)
	lines := make(chan string, 2)
	lines <- "a long line"
	lines <- "short"
	p := progress{w: s, tick: time.Microsecond}
	end := p.during(func(time.Duration) string { return <-lines })
	if got := <-s; got != "\ra long line" {
		t.Errorf("got %q", got)
	}
	if got := <-s; got != "\rshort      " {
		t.Errorf("got %q", got)
	}
	rest := make(chan string)
	go func() {
		var all strings.Builder
		for text := range s {
			all.WriteString(text)
		}
		rest <- all.String()
	}()
	close(lines) // a further line may come, empty
	end()
	end()
	close(s)
	if got := <-rest; !strings.HasSuffix(got, "\r           \r") {
		t.Errorf("at last got %q, want the line wiped", got)
	}
}

func TestProgressQuick(t *testing.T) {
	var out bytes.Buffer
	progress{w: &out, tick: time.Hour}.during(func(time.Duration) string { return "text" })()
	progress{w: nil, tick: time.Nanosecond}.during(func(time.Duration) string { panic("shown to nobody") })()
	if out.Len() > 0 {
		t.Errorf("got %q for what ended at once", &out)
	}
}
