package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wellFormed fails the test for a finding that a reader could not use.
func wellFormed(t *testing.T, f Finding) {
	t.Helper()
	if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(f.ID) {
		t.Errorf("the id %q is not in kebab case", f.ID)
	}
	if f.Title == "" || f.Seen == "" {
		t.Errorf("%s: no title, or nothing seen: %+v", f.ID, f)
	}
	for _, text := range []string{f.Title, f.Seen, f.Means, f.Advice} {
		if strings.ContainsAny(text, "\n\t") || strings.TrimSpace(text) != text || strings.Contains(text, "%!") {
			t.Errorf("%s: %q is not one line", f.ID, text)
		}
	}
	switch f.Status {
	case OK:
		if f.Means != "" || f.Advice != "" {
			t.Errorf("%s is ok and has advice: %+v", f.ID, f)
		}
	case Warning, Failed, Unknown:
		untried := f.Status == Unknown && strings.HasPrefix(f.Seen, "not tried")
		if (f.Means == "") != untried || f.Advice == "" {
			t.Errorf("%s is %s: what does it mean, and what is to be done? %+v", f.ID, f.Status, f)
		}
	default:
		t.Errorf("%s has the status %q", f.ID, f.Status)
	}
}

func TestExamine(t *testing.T) {
	supported := runtime.GOOS == "linux" || runtime.GOOS == "windows"
	findings := Examine(t.Context())
	known := map[string]bool{}
	for _, f := range findings {
		wellFormed(t, f)
		if known[f.ID] {
			t.Errorf("two findings %s", f.ID)
		}
		known[f.ID] = true
		switch f.ID {
		case "descriptors", "processors", "file-size", "address-space", "cgroup-memory", "map-count", "yama":
			if f.Status != OK { // which depends on the machine
				t.Logf("%+v", f)
			}
		default:
			if f.Status != OK && supported {
				t.Errorf("calls are tested here, and yet: %+v", f)
			}
		}
	}
	if !supported && (len(findings) != 1 || findings[0].Status != Failed) {
		t.Errorf("this system is not supported: %+v", findings)
	}
}

// say returns a probe that finds f.
func say(f Finding) func(context.Context) Finding {
	return func(context.Context) Finding { return f }
}

// statuses is what was found, in order.
func statuses(findings []Finding) (all []string) {
	for _, f := range findings {
		all = append(all, f.ID+" "+string(f.Status)+": "+f.Seen)
	}
	return all
}

func TestNeeds(t *testing.T) {
	bad := say(Finding{Status: Failed, Seen: "broken"})
	warn := say(Finding{Status: Warning, Seen: "odd"})
	good := say(fine("well"))
	for _, test := range []struct {
		what   string
		probes []probe
		want   []string
	}{
		{"one needs another", []probe{{id: "a", try: bad}, {id: "b", try: good, needs: "a"}, {id: "c", try: good}, {id: "d", try: good, needs: "b"}},
			[]string{"a failed: broken", "b unknown: not tried, because of: a", "c ok: well", "d unknown: not tried, because of: b"}},
		{"a warning stops nothing", []probe{{id: "a", try: warn, decides: true}, {id: "b", try: good, needs: "a"}},
			[]string{"a warning: odd", "b ok: well"}},
		{"one decides", []probe{{id: "a", try: good, decides: true}, {id: "b", try: bad, decides: true}, {id: "c", try: good}, {id: "d", try: bad}},
			[]string{"a ok: well", "b failed: broken", "c unknown: not tried, because of: b", "d unknown: not tried, because of: b"}},
	} {
		got := examine(t.Context(), test.probes, time.Minute)
		if diff := cmp.Diff(test.want, statuses(got)); diff != "" {
			t.Errorf("%s: %s", test.what, diff)
		}
	}
}

// What hangs is given up and is a finding; the others are tried all the same.
func TestHang(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	ended := make(chan error, 1)
	got := examine(t.Context(), []probe{
		{id: "asleep", title: "Asleep", try: func(ctx context.Context) Finding {
			<-ctx.Done() // it is told
			ended <- ctx.Err()
			<-end
			return fine("too late")
		}},
		{id: "next", try: say(fine("well"))},
		{id: "after", try: say(fine("well")), needs: "asleep"},
	}, 20*time.Millisecond)
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it is told %v", err)
	}
	wellFormed(t, got[0])
	want := []string{"asleep failed: no answer within 30ms", "next ok: well", "after unknown: not tried, because of: asleep"}
	if diff := cmp.Diff(want, statuses(got)); diff != "" {
		t.Error(diff)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	got := examine(ctx, []probe{
		{id: "a", try: func(ctx context.Context) Finding {
			cancel()
			return fine("well")
		}},
		{id: "b", try: func(context.Context) Finding { panic("tried") }},
	}, time.Minute)
	if diff := cmp.Diff([]string{"a ok: well", "b unknown: not tried, because of: context canceled"}, statuses(got)); diff != "" {
		t.Error(diff)
	}
}

// The fields' names in JSON are a promise.
func TestJSON(t *testing.T) {
	text, err := json.Marshal([]Finding{{"a", "A", OK, "one", "", ""}, {"b", "B", Failed, "two", "three", "four"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"id":"a","title":"A","status":"ok","seen":"one"},` +
		`{"id":"b","title":"B","status":"failed","seen":"two","means":"three","advice":"four"}]`
	if string(text) != want {
		t.Errorf("got %s", text)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 bytes", 512: "512 bytes", 1024: "1 KiB", 1536: "1.5 KiB", 1<<20 - 512: "1023.5 KiB", 1 << 20: "1 MiB",
		ControlSize: "1028 KiB", 2 << 20: "2 MiB", 100<<20 + 1: "100.0 MiB", 1 << 30: "1 GiB", 1953 << 20: "1953 MiB",
		20_000_000_000: "18.6 GiB", 1 << 60: "1 EiB", 1<<64 - 1: "16 EiB",
	} {
		if got := size(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
