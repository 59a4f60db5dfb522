package model

import (
	"maps"
	"testing"
)

func TestExploreSections(t *testing.T) {
	for _, m := range []Sections{
		{Writers: 2, Stores: 2, Gives: true, Watchers: 2, Deaths: 2},
		{Writers: 3, Stores: 1, Gives: true, Watchers: 2, Deaths: 3, Leaves: true},
		{Writers: 2, Stores: 2, Watchers: 2, Deaths: 1, OneByOne: true},
		{Writers: 2, Stores: 2, Watchers: 1, Deaths: 1, Stops: true},
		{Writers: 4, Stores: 1, Watchers: 1, Deaths: 4},
		{Writers: 2, Stores: 2, Growers: 1, Readers: 1, Loads: 2, Deaths: 2},
		{Writers: 2, Stores: 1, Growers: 2, Readers: 1, Loads: 2, Deaths: 2},
		{Writers: 2, Stores: 1, Growers: 1, Watchers: 1, Deaths: 3},
		{Writers: 1, Stores: 1, Growers: 1, Watchers: 2, Deaths: 2},
		{Writers: 1, Stores: 1, Growers: 2, Watchers: 1, Deaths: 3},
		{Writers: 1, Stores: 2, Growers: 1, Watchers: 1, Readers: 1, Loads: 1, Deaths: 1, Stops: true},
		{Writers: 1, Stores: 1, Growers: 1, Watchers: 2, Deaths: 2, Quiet: true},
	} {
		explored(t, &m, always)
	}
	explored(t, &Sections{Writers: 2, Stores: 1, Growers: 1, Watchers: 2, Deaths: 2}, unlessShort)
	explored(t, &Sections{Writers: 2, Stores: 1, Growers: 2, Watchers: 1, Deaths: 2}, withHuge)
	explored(t, &Sections{Writers: 2, Stores: 2, Growers: 1, Watchers: 2, Deaths: 1}, withHuge)
	explored(t, &Sections{Writers: 2, Stores: 2, Growers: 2, Watchers: 1, Deaths: 4}, withHuge)
	explored(t, &Sections{Writers: 3, Stores: 2, Gives: true, Watchers: 2, Deaths: 3, Leaves: true, OneByOne: true}, withHuge)
}

// sectionMutationConfigs maps each mistake to an instance that is large enough to show it.
var sectionMutationConfigs = map[SectionMutation]Sections{
	WakeLate:          {Writers: 1, Stores: 1, Watchers: 1, Deaths: 1},
	WakeBeforeCommit:  {Writers: 1, Stores: 1, Watchers: 1},
	ClearNoBell:       {Writers: 1, Stores: 1, Watchers: 1},
	WakeOne:           {Writers: 1, Stores: 1, Watchers: 2},
	ClearedForgotten:  {Writers: 2, Stores: 1, Watchers: 1, Deaths: 1},
	StoredLate:        {Writers: 2, Stores: 2, Watchers: 1, Deaths: 1, Gives: true},
	SwitchFirstLoaded: {Writers: 1, Stores: 1, Watchers: 1},
	SleepersLate:      {Writers: 1, Stores: 1, Watchers: 1},
	BellLate:          {Writers: 1, Stores: 1, Watchers: 1},
	CommitIgnored:     {Writers: 1, Stores: 1, Watchers: 1},
	CommitForEver:     {Writers: 1, Stores: 1, Watchers: 1, Deaths: 1},
	AskedLate:         {Writers: 1, Stores: 1, Watchers: 1, Deaths: 1},
	CommitFirst:       {Writers: 1, Stores: 1, Watchers: 1, Stops: true},
	MovedUnwatched:    {Writers: 1, Stores: 1, Growers: 1, Watchers: 1},
	FollowedAsleep:    {Writers: 1, Stores: 1, Growers: 1, Watchers: 1},
	MovedIsWork:       {Writers: 1, Stores: 1, Growers: 1, Watchers: 1, Deaths: 2},
	CurrentOld:        {Writers: 1, Stores: 1, Growers: 1, Watchers: 1},
	RungForNew:        {Writers: 1, Stores: 2, Growers: 1, Watchers: 1, Deaths: 1},
	MovedUnseen:       {Writers: 1, Stores: 1, Growers: 1},
	LoadStays:         {Writers: 1, Stores: 1, Growers: 1, Readers: 1, Loads: 1},
	CurrentFirst:      {Writers: 1, Stores: 1, Growers: 1, Deaths: 1},
	GrowUnlocked:      {Writers: 1, Stores: 1, Growers: 1},
	HalfReused:        {Writers: 1, Stores: 1, Growers: 2, Deaths: 1},
	WholeReused:       {Writers: 1, Stores: 1, Growers: 2, Deaths: 1},
	VersionAgain:      {Writers: 1, Stores: 1, Growers: 1},
	SettleBlind:       {Writers: 1, Stores: 1, Growers: 1},
	SettleUnnamed:     {Writers: 2, Stores: 1, Growers: 1},
	NobodySettles:     {Writers: 1, Stores: 1, Growers: 1, Deaths: 1},
}

func TestMutationsSections(t *testing.T) {
	for mutation := SectionMutation(1); mutation < sectionMutations; mutation++ {
		sound, ok := sectionMutationConfigs[mutation]
		if !ok {
			t.Fatalf("no instance for %v", mutation)
		}
		mistaken := sound
		mistaken.Mutation = mutation
		caught(t, mutation.String(), &mistaken, &sound)
	}
}

// Who is sorted has to be alike: what can happen in a state is what can happen in the sorted
// one, sorted.
func TestExploreSorting(t *testing.T) {
	if raceEnabled {
		t.Skip("large")
	}
	for _, m := range []Sections{
		{Writers: 2, Stores: 1, Gives: true, Watchers: 2, Deaths: 2, Leaves: true},
		{Writers: 2, Stores: 1, Watchers: 2, Deaths: 1, Leaves: true, OneByOne: true},
		{Writers: 2, Stores: 1, Growers: 1, Watchers: 1, Deaths: 1},
	} {
		m.named = true
		sorts(t, &m, m.canonical)
	}
	m := Holds{Numbers: 4, Reopens: 1, Holds: 1, Grows: true, named: true}
	sorted := m
	sorted.named = false
	sorts(t, &m, sorted.canonical)
}

// sorts checks that of the reachable states of m.
func sorts[S comparable](t *testing.T, m Machine[S], sort func(*S)) {
	t.Helper()
	next := func(s S) map[S]bool {
		all := map[S]bool{}
		for _, n := range m.Next(&s, nil) {
			sort(&n.State)
			all[n.State] = true
		}
		return all
	}
	first := m.Init()
	seen, todo := map[S]bool{first: true}, []S{first}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		like := s
		sort(&like)
		same := (m.Check(&s) == "") == (m.Check(&like) == "") && (m.Goal(&s) == "") == (m.Goal(&like) == "")
		if !same || !maps.Equal(next(s), next(like)) {
			t.Fatalf("%s: sorted,\n%+v is\n%+v, which is another", describe(m), s, like)
		}
		for _, n := range m.Next(&s, nil) {
			if !seen[n.State] {
				seen[n.State] = true
				todo = append(todo, n.State)
			}
		}
	}
	t.Logf("%s: %d states", describe(m), len(seen))
}
