package model

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// When an instance is explored: see configs. A race build explores a part of it.
const (
	always = iota
	unlessShort
	withHuge
)

// explored explores an instance of the protocol of a section as it should be.
func explored[S comparable](t *testing.T, m Machine[S], when int) {
	t.Helper()
	t.Run(describe(m), func(t *testing.T) {
		if when == withHuge && !*huge {
			t.Skip("huge: see -huge")
		}
		if when == unlessShort && (raceEnabled || testing.Short()) {
			t.Skip("large")
		}
		limit := 0
		if raceEnabled {
			limit = 50_000
		}
		began := time.Now()
		r := Explore(m, limit)
		if r.Violation != nil {
			t.Fatal(r.Violation)
		}
		report(t, describe(m), r, began)
	})
}

// caught explores an instance with a seeded mistake, which a property must catch, and without,
// which shows that it is the mistake that was caught.
func caught[S comparable](t *testing.T, name string, mistaken, sound Machine[S]) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		if r := Explore(sound, 0); r.Violation != nil {
			t.Fatalf("violated without the mistake: %v", r.Violation)
		}
		began := time.Now()
		r := Explore(mistaken, 0)
		if r.Violation == nil {
			t.Fatalf("not caught in %d states", r.States)
		}
		report(t, "caught: "+describe(mistaken), r, began)
		t.Log(r.Violation)
	})
}

// describe says what an instance has.
func describe(m any) string {
	v := reflect.ValueOf(m).Elem()
	s := strings.ToLower(v.Type().Name()) + ":"
	for i := range v.NumField() {
		switch name, f := strings.ToLower(v.Type().Field(i).Name), v.Field(i); {
		case f.IsZero():
		case f.Kind() == reflect.Bool:
			s += fmt.Sprintf(" %s,", name)
		default:
			s += fmt.Sprintf(" %s %v,", name, f)
		}
	}
	return strings.TrimSuffix(s, ",")
}

func TestExploreCells(t *testing.T) {
	for _, m := range []Cells{
		{Cells: 2, Writers: 2, Stores: 2, Readers: 1, Loads: 2},
		{Cells: 3, Writers: 2, Stores: 2, Readers: 1, Loads: 2},
		{Cells: 3, Writers: 2, Stores: 2, Readers: 1, Loads: 2, Stops: true},
		{Cells: 4, Writers: 2, Stores: 3, Readers: 1, Loads: 2},
		{Cells: 4, Writers: 2, Stores: 2, Readers: 2, Loads: 1},
		{Cells: 2, Writers: 3, Updates: 7, Stores: 1, Readers: 1, Loads: 1},
		{Cells: 4, Writers: 2, Updates: 3, Stores: 3, Readers: 1, Loads: 1},
		{Cells: 4, Writers: 3, Updates: 3, Stores: 2},
	} {
		explored(t, &m, always)
	}
	explored(t, &Cells{Cells: 4, Writers: 3, Updates: 6, Stores: 2, Readers: 1, Loads: 2}, withHuge)
	explored(t, &Cells{Cells: 4, Writers: 2, Updates: 1, Stores: 3, Readers: 2, Loads: 1}, withHuge)
}

func TestMutationsCells(t *testing.T) {
	for mutation := CellMutation(1); mutation < cellMutations; mutation++ {
		sound := Cells{Cells: 3, Writers: 2, Updates: 2, Stores: 2, Readers: 1, Loads: 1}
		mistaken := sound
		mistaken.Mutation = mutation
		caught(t, mutation.String(), &mistaken, &sound)
	}
	// It is K - 2 whatever K is.
	for k := 2; k <= 4; k++ {
		sound := Cells{Cells: k, Writers: 2, Stores: 2, Readers: 1, Loads: 1}
		mistaken := sound
		mistaken.Mutation = LapOffByOne
		caught(t, fmt.Sprintf("%v: %d cells", LapOffByOne, k), &mistaken, &sound)
	}
}
