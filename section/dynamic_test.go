package section_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

func dynamic(t testing.TB, name string, options ...section.Option) *section.Dynamic {
	t.Helper()
	d := must(section.OpenDynamic(name, options...))(t)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func set(d *section.Dynamic, pairs ...string) (uint64, error) {
	var settings []section.Setting
	for i := 0; i < len(pairs); i += 2 {
		settings = append(settings, section.Setting{Field: pairs[i], JSON: []byte(pairs[i+1])})
	}
	return d.SetJSON(context.Background(), settings...)
}

// loads checks what a field is, as JSON.
func loads(t *testing.T, d *section.Dynamic, field, want string, version uint64) {
	t.Helper()
	text, v, err := d.LoadJSON(field)
	if err != nil || string(text) != want || v != version {
		t.Errorf("%s: %s version %d, %v; want %s version %d", field, text, v, err, want, version)
	}
}

func TestDynamicFixed(t *testing.T) {
	leaks := proctest.Watch(t)
	s := open[plant](t, "dynamic/fixed")
	d := dynamic(t, "dynamic/fixed")
	if d.Name() != "dynamic/fixed" || d.Form() != "fixed" || d.Signature() != "{Temperature float64, Jobs uint32, Running bool, Name [32]uint8}" {
		t.Error(d.Name(), d.Form(), d.Signature())
	}
	loads(t, d, "", `{"Temperature":0,"Jobs":0,"Running":false,"Name":""}`, 0)
	nan := math.Float64frombits(0x7ff8000000001234)
	if err := s.Store(plant{Temperature: nan, Jobs: 1, Running: true}); err != nil {
		t.Fatal(err)
	}
	if v, err := set(d, "Jobs", "7", "Name", `"left"`); err != nil || v != 2 {
		t.Fatal(v, err)
	}
	v := must(s.Load())(t)
	if v.Jobs != 7 || !v.Running || section.Text(v.Name[:]) != "left" || math.Float64bits(v.Temperature) != 0x7ff8000000001234 {
		t.Errorf("%+v %x", v, math.Float64bits(v.Temperature))
	}
	loads(t, d, "Temperature", `"NaN"`, 2)
	loads(t, d, "Name", `"left"`, 2)
	loads(t, d, "Name[1]", `101`, 2)
	if v, err := d.StoreJSON([]byte(`{"Temperature": -1.5}`)); err != nil || v != 3 {
		t.Fatal(v, err)
	}
	loads(t, d, "", `{"Temperature":-1.5,"Jobs":0,"Running":false,"Name":""}`, 3)

	// What does not suit is not stored.
	for field, text := range map[string]string{
		"Jobs": "-1", "jobs": "1", "Name": `"` + strings.Repeat("x", 33) + `"`, "Running": "2", "Name[32]": "1", "": "[1]", "Jobs.x": "1",
	} {
		_, err := set(d, "Temperature", "5", field, text)
		if !errors.Is(err, section.ErrInput) || !strings.Contains(err.Error(), `section "dynamic/fixed"`) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s=%s: %v", field, text, err)
		}
	}
	if _, err := set(d, "Job", "1"); err == nil || !strings.Contains(err.Error(), `there is no field "Job"; the fields are Temperature, Jobs, Running, Name`) {
		t.Error(err)
	}
	if _, _, err := d.LoadJSON("Job"); !errors.Is(err, section.ErrInput) {
		t.Error(err)
	}
	if _, _, err := d.LoadBytes(); !errors.Is(err, partywall.ErrLayout) {
		t.Error(err)
	}
	if _, err := d.StoreBytes(nil); !errors.Is(err, partywall.ErrLayout) {
		t.Error(err)
	}
	loads(t, d, "Temperature", `-1.5`, 3)
	if f := d.Fields(); len(f) != 4 || f[3] != (section.Field{Path: "Name", Signature: "[32]uint8"}) {
		t.Errorf("%v", f)
	}

	r := dynamic(t, "dynamic/fixed", section.ReadOnly())
	loads(t, r, "Temperature", `-1.5`, 3)
	if _, err := set(r, "Jobs", "1"); !errors.Is(err, partywall.ErrAccess) {
		t.Error(err)
	}
	r.Close()
	d.Close()
	if _, _, err := d.LoadJSON(""); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, err := set(d, "Jobs", "1"); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if d.Form() != "" || d.Fields() != nil {
		t.Error("a closed one has a form")
	}
	s.Close()
	leaks.Check()
}

// A single number, or an array of them, has no fields.
func TestDynamicSole(t *testing.T) {
	open[[3]float64](t, "dynamic/sole")
	d := dynamic(t, "dynamic/sole")
	if v, err := set(d, "", "[1,2,3]"); err != nil || v != 1 {
		t.Fatal(v, err)
	}
	if v, err := set(d, "[1]", "5"); err != nil || v != 2 {
		t.Fatal(v, err)
	}
	loads(t, d, "", "[1,5,3]", 2)
	if d.Fields() != nil {
		t.Error(d.Fields())
	}
}

// Another program makes the section grow while this one has it open: the bytes and the schema
// that is read with them belong together, whenever that happens.
func TestDynamicGrows(t *testing.T) {
	type one struct {
		A   uint32
		Pos struct{ X int64 }
	}
	type two struct {
		Before float64
		A      uint32
		Pos    struct{ Y, X int64 }
	}
	leaks := proctest.Watch(t)
	for round := range 20 {
		name := fmt.Sprint("dynamic/grows", round)
		s := must(section.Open[one](name))(t)
		v := one{A: 5}
		v.Pos.X = 7
		if err := s.Store(v); err != nil {
			t.Fatal(err)
		}
		d := must(section.OpenDynamic(name))(t)
		var busy sync.WaitGroup
		stop := make(chan struct{})
		busy.Go(func() {
			for n := 1; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if text, _, err := d.LoadJSON("Pos.X"); err != nil || string(text) != "7" {
					t.Errorf("%s, %v", text, err)
				}
				if _, err := set(d, "A", fmt.Sprint(n)); err != nil {
					t.Error(err)
				}
			}
		})
		for !t.Failed() && describe(t, name).Version < 20 {
		}
		g := must(section.Open[two](name))(t)
		for from := describe(t, name).Version; !t.Failed() && describe(t, name).Version < from+20; {
		}
		close(stop)
		busy.Wait()
		if w := must(g.Load())(t); w.Pos.X != 7 || w.Pos.Y != 0 || w.Before != 0 {
			t.Errorf("%+v", w)
		}
		if d.Signature() != "{Before float64, A uint32, Pos {Y int64, X int64}}" {
			t.Error(d.Signature())
		}
		if _, err := set(d, "Pos.Y", "9"); err != nil {
			t.Error(err)
		}
		if w := must(s.Load())(t); w.Pos.X != 7 {
			t.Errorf("%+v", w)
		}
		if err := errors.Join(g.Close(), s.Close(), d.Close()); err != nil {
			t.Error(err)
		}
	}
	leaks.Check()
}

// No setting is lost.
func TestDynamicSetsAll(t *testing.T) {
	const goroutines, each = 4, 200
	s := open[[goroutines]struct{ N uint32 }](t, "dynamic/all")
	var sets sync.WaitGroup
	for i := range goroutines {
		d := dynamic(t, "dynamic/all")
		sets.Go(func() {
			for n := range each {
				if _, err := set(d, fmt.Sprintf("[%d].N", i), fmt.Sprint(n+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sets.Wait()
	for i, v := range must(s.Load())(t) {
		if v.N != each {
			t.Errorf("%d: %d", i, v.N)
		}
	}
	if v := describe(t, "dynamic/all").Version; v != goroutines*each {
		t.Errorf("version %d", v)
	}
}

func TestDynamicBytes(t *testing.T) {
	s := open[[]byte](t, "dynamic/bytes", section.MaxSize(10))
	d := dynamic(t, "dynamic/bytes")
	loads(t, d, "", `""`, 0)
	if v, err := d.StoreBytes([]byte{1, 2, 255}); err != nil || v != 1 {
		t.Fatal(v, err)
	}
	loads(t, d, "", `"AQL/"`, 1)
	if v, err := set(d, "", `"AAE="`); err != nil || v != 2 {
		t.Fatal(v, err)
	}
	if v := must(s.Load())(t); !slices.Equal(v, []byte{0, 1}) {
		t.Error(v)
	}
	if _, err := d.StoreBytes(make([]byte, 11)); !errors.Is(err, partywall.ErrTooLarge) {
		t.Error(err)
	}
	for field, text := range map[string]string{"x": `"AA=="`, "": "5"} {
		if _, err := set(d, field, text); !errors.Is(err, section.ErrInput) {
			t.Error(err)
		}
	}
	// With more room it grows, also for who was there before.
	dynamic(t, "dynamic/bytes", section.MaxSize(100_000))
	if v, err := d.StoreBytes(make([]byte, 100_000)); err != nil || v != 3 {
		t.Fatal(v, err)
	}
	if data, v, err := d.LoadBytes(); err != nil || v != 3 || len(data) != 100_000 {
		t.Error(len(data), v, err)
	}
}

func TestHoldsCreates(t *testing.T) {
	if _, err := section.OpenDynamic("dynamic/holds"); !errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
	if _, err := section.OpenDynamic("dynamic/holds", section.Holds("n:what")); !errors.Is(err, section.ErrInput) {
		t.Error(err)
	}
	d := dynamic(t, "dynamic/holds", section.Holds("n:uint32", "pos.x:float64"))
	if _, err := set(d, "n", "3"); err != nil {
		t.Fatal(err)
	}
	// Go programs have other names for the same.
	e := dynamic(t, "dynamic/holds", section.Holds("text:[8]uint8", "n:uint32"))
	if _, err := set(e, "text", `"abc"`); err != nil {
		t.Fatal(err)
	}
	loads(t, d, "", `{"n":3,"pos":{"x":0},"text":"abc"}`, 2)
	if _, err := section.OpenDynamic("dynamic/holds", section.Holds("n:int32")); !errors.Is(err, partywall.ErrLayout) || !strings.Contains(err.Error(), "n") {
		t.Error(err)
	}
	if _, err := section.OpenDynamic("dynamic/holds", section.Holds("bytes")); !errors.Is(err, partywall.ErrLayout) {
		t.Error(err)
	}
	b := dynamic(t, "dynamic/holds/bytes", section.Holds("bytes"), section.MaxSize(9))
	if i := must(b.Info())(t); i.Size != 9 || i.Form != "bytes" {
		t.Errorf("%+v", i)
	}
}

func TestWatchJSON(t *testing.T) {
	s := open[plant](t, "dynamic/watch")
	d := dynamic(t, "dynamic/watch", section.ReadOnly())
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	var seen []string
	store := func(n uint32) {
		if err := s.Store(plant{Jobs: n}); err != nil {
			t.Fatal(err)
		}
	}
	store(1)
	for c, err := range d.WatchJSON(ctx, "Jobs") {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, fmt.Sprintf("%d+%d:%s", c.Version, c.Skipped, c.Value))
		switch c.Version {
		case 1:
			store(2)
		case 2:
			store(3)
			store(4)
		case 4:
			d.Close()
		}
		if d.Form() == "" {
			break
		}
	}
	if got := strings.Join(seen, " "); got != "1+0:1 2+0:2 4+1:4" {
		t.Error(got)
	}
	for _, err := range dynamic(t, "dynamic/watch").WatchJSON(ctx, "nosuch") {
		if !errors.Is(err, section.ErrInput) {
			t.Error(err)
		}
	}
}
