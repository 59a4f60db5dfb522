package model

import "testing"

func TestExploreHolds(t *testing.T) {
	explored(t, &Holds{Numbers: 4, Reopens: 2, Holds: 2}, always)
	explored(t, &Holds{Numbers: 4, Reopens: 2, Holds: 1, Grows: true}, always)
	explored(t, &Holds{Numbers: 4, Reopens: 4, Holds: 2}, withHuge)
	explored(t, &Holds{Numbers: 4, Reopens: 3, Holds: 2, Grows: true}, withHuge)
}

func TestMutationsHolds(t *testing.T) {
	for mutation := HoldMutation(1); mutation < holdMutations; mutation++ {
		sound := Holds{Numbers: 4, Reopens: 1, Holds: 1}
		sound.Grows = mutation == WaitOnMoved || mutation == HoldsMoved
		mistaken := sound
		mistaken.Mutation = mutation
		caught(t, mutation.String(), &mistaken, &sound)
	}
}
