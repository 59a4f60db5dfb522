package section_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// watchC starts a C program that watches, and waits until it has seen the first version.
func watchC(t testing.TB, name string, from uint64, count int) *proctest.Process {
	t.Helper()
	p := c(t, "reader", "--watch", name, fmt.Sprint(count))
	if version, values := parse(t, p.Line()); version != from {
		t.Fatalf("it begins with version %d, %v", version, values)
	}
	return p
}

// versions reads lines until one is of that version; they have to increase.
func versions(t testing.TB, p *proctest.Process, known, until uint64) (seen int, last map[string]string) {
	t.Helper()
	for known < until {
		version, values := parse(t, p.Line())
		if version <= known || version > until {
			t.Fatalf("version %d after %d, up to %d", version, known, until)
		}
		known, last = version, values
		seen++
	}
	return seen, last
}

// A C program sees each version that it has the time for, and the last of many; asleep or awake.
func TestCWatches(t *testing.T) {
	clean(t)
	s := open[cPair](t, "c/watch")
	p := watchC(t, "c/watch", 0, 200+1)
	for i := range uint64(200) {
		if err := s.Store(cPair{N: i, Twice: 2 * i}); err != nil {
			t.Fatal(err)
		}
		if seen, v := versions(t, p, i, i+1); seen != 1 || v["N"] != fmt.Sprint(i) || v["Twice"] != fmt.Sprint(2*i) {
			t.Fatalf("%d lines, %v", seen, v)
		}
	}
	if err := s.Store(cPair{}); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil { // it has counted them
		t.Error(err)
	}

	p = watchC(t, "c/watch", 201, 1<<30)
	known := uint64(201)
	for range 20 {
		for i := range uint64(500) {
			if err := s.Store(cPair{N: known + i, Twice: 2 * (known + i)}); err != nil {
				t.Fatal(err)
			}
		}
		_, v := versions(t, p, known, known+500)
		if known += 500; v["N"] != fmt.Sprint(known-1) || v["Twice"] != fmt.Sprint(2*(known-1)) {
			t.Fatal(v)
		}
	}
	p.Kill()
	p.Wait()
}

type (
	cWider struct {
		Before uint16
		N      uint64
		Twice  uint64
		After  [3]int32
	}
	cWidest struct { // so wide that the cells become large
		N, Twice uint64
		Data     [100_000]byte
	}
)

// The section grows twice while C programs watch it, one asleep; they follow it and print the new fields.
func TestCGrows(t *testing.T) {
	clean(t)
	s := open[cPair](t, "c/grow")
	if err := s.Store(cPair{N: 1}); err != nil {
		t.Fatal(err)
	}
	p := watchC(t, "c/grow", 1, 1<<30)
	w := open[cWider](t, "c/grow")
	if err := w.Store(cWider{Before: 5, N: 2, After: [3]int32{2: -1}}); err != nil {
		t.Fatal(err)
	}
	if _, v := versions(t, p, 1, 2); v["N"] != "2" || v["Before"] != "5" || v["After"] != "0,0,-1" {
		t.Error(v)
	}
	if err := s.Store(cPair{N: 3}); err != nil { // it does not know the other fields
		t.Fatal(err)
	}
	if _, v := versions(t, p, 2, 3); v["N"] != "3" || v["Before"] != "5" || v["After"] != "0,0,-1" {
		t.Error(v)
	}
	wide := open[cWidest](t, "c/grow")
	run(t, "writer", "c/grow", "N+=1", "After[1]=77", "Data[99999]=1")
	data := new(cWidest)
	must(wide.LoadTo(data))(t)
	if data.Data[99_999] != 1 {
		t.Error("Data is not stored")
	}
	if _, v := versions(t, p, 3, 4); v["N"] != "4" || v["Before"] != "5" || v["After"] != "0,77,-1" || v["Data"] != sum(data.Data[:]) {
		t.Error(v)
	}
	if v := must(w.Load())(t); v != (cWider{Before: 5, N: 4, After: [3]int32{1: 77, 2: -1}}) {
		t.Error(v)
	}
	p.Kill()
	p.Wait()
}

// What a C program stores, a loop in Go yields, asleep or awake.
func TestCStoresAreSeen(t *testing.T) {
	clean(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := open[cKinds](t, "c/stores")
	got, ended := changes(ctx, s)
	want := cKinds{}
	for i := range 20 {
		run(t, "writer", "c/stores", fmt.Sprintf("I16=%d", -i), "Bool=true", "F64=0.1", "Machines[1].Last[1]+=13", "Matrix[2]+=-1", "Deep.Point.Y=-7", "F32=1e3")
		want.I16, want.Bool, want.F64, want.F32 = int16(-i), true, 0.1, 1e3
		want.Machines[1].Last[1] += 13
		want.Matrix[1][0]--
		want.Deep.Point.Y = -7
		if c := next(t, got); c.Value != want || c.Version != uint64(i+1) {
			t.Fatalf("%+v, want %+v", c, want)
		}
	}
	cancel()
	next(t, ended)
}

// C and Go add to one number, and to one of their own; none is lost.
func TestCAndGoAdd(t *testing.T) {
	for name, add := range map[string]func(t *testing.T, times uint64) (sum uint64, version uint64){
		"small": func(t *testing.T, times uint64) (uint64, uint64) {
			return addWithC(t, "c/add", times, func(v *cPair) (*uint64, *uint64) { return &v.N, &v.Twice })
		},
		"large": func(t *testing.T, times uint64) (uint64, uint64) {
			return addWithC(t, "c/add/large", times/100, func(v *cLarge) (*uint64, *uint64) { return &v.N, &v.Twice })
		},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			const times = 20_000
			if sum, version := add(t, times); sum == 0 || sum != version {
				t.Errorf("the sum is %d, the version %d", sum, version)
			}
		})
	}
}

func addWithC[T any](t *testing.T, name string, times uint64, fields func(*T) (*uint64, *uint64)) (sum, version uint64) {
	s := open[T](t, name)
	watcher := watchC(t, name, 0, 1<<30)
	var adders []*proctest.Process
	for range 2 {
		adders = append(adders, c(t, "writer", "--times", fmt.Sprint(times), name, "N+=1"))
	}
	// Bounded: a store that waits its turn forever is a failure.
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	for range times {
		if err := s.Update(ctx, func(v *T) error {
			n, twice := fields(v)
			*n++
			*twice++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range adders {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	v := new(T)
	version = must(s.LoadTo(v))(t)
	n, twice := fields(v)
	if *n != 3*times || *twice != times {
		t.Errorf("%d and %d, want %d and %d", *n, *twice, 3*times, times)
	}
	if version < 3*times {
		t.Errorf("version %d", version)
	}
	began := time.Now()
	seen, _ := versions(t, watcher, 0, version)
	t.Logf("%d versions, of which the watcher saw %d, the last after another %v", version, seen, time.Since(began))
	watcher.Kill()
	watcher.Wait()
	return *n, version
}
