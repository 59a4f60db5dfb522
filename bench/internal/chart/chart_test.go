package chart

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/bench/internal/report"
)

// texts returns what an SVG says; it has to be well-formed.
func texts(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b strings.Builder
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if text, ok := token.(xml.CharData); ok {
			b.Write(text)
		}
	}
}

func TestWrite(t *testing.T) {
	text, err := os.ReadFile("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	files, err := Write(&r, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(charts) {
		t.Errorf("files: %q", files)
	}
	for file, wants := range map[string][]string{
		"latency-by-size.svg":      {"partywall Call", "raw Unix socket", "64 B", "1 MiB", "1.00 µs", "noisy"},
		"latency-distribution.svg": {"partywall Call", "64 B, 1 goroutine", "99.9 %"},
		"calls-by-goroutines.svg":  {"partywall Call", "64 B", "1,000,000"},
		"cpu-at-a-rate.svg":        {"partywall Call", "raw Unix socket", "1,000 calls/s", "10,000 calls/s"},
	} {
		got := texts(t, filepath.Join(dir, file))
		for _, want := range append(wants, caption(&r)...) {
			if !strings.Contains(got, want) {
				t.Errorf("%s does not say %q: %s", file, want, strings.Join(strings.Fields(got), " "))
			}
		}
	}
}

// A report without a chart's figures has no such chart.
func TestNothing(t *testing.T) {
	files, err := Write(&report.Report{}, t.TempDir())
	if err != nil || len(files) != 0 {
		t.Errorf("%q, %v", files, err)
	}
}

// One value has an axis, too; so have values of zero.
func TestOneValue(t *testing.T) {
	r := &report.Report{}
	for _, c := range []report.Cell{{Size: 64, Goroutines: 1}, {Size: 64, Goroutines: 8}, {Size: 64, Goroutines: 1, Rate: 1000}} {
		r.Add("a", "A", c, report.Sample{})
	}
	if files, err := Write(r, t.TempDir()); err != nil || len(files) != len(charts) {
		t.Errorf("%q, %v", files, err)
	}
}
