package model

import "testing"

func TestExplorePins(t *testing.T) {
	for _, m := range []Pins{
		{Writers: 1, Stores: 4, Handles: 1, Goroutines: 1, Loads: 2, Reopens: 1},
		{Writers: 1, Stores: 4, Handles: 1, Goroutines: 1, Loads: 2, Stops: 1},
		{Writers: 2, Stores: 2, Handles: 1, Goroutines: 1, Loads: 2},
		{Writers: 1, Stores: 3, Handles: 1, Goroutines: 2, Loads: 1, Reopens: 1},
		{Writers: 1, Stores: 3, Handles: 1, Goroutines: 2, Loads: 1, Reopens: 1, Bare: true},
		{Writers: 1, Stores: 4, Handles: 2, Goroutines: 1, Loads: 1, Reopens: 1},
	} {
		explored(t, &m, always)
	}
	explored(t, &Pins{Writers: 2, Stores: 2, Handles: 1, Goroutines: 2, Loads: 1, Reopens: 1}, withHuge)
	explored(t, &Pins{Writers: 1, Stores: 5, Handles: 1, Goroutines: 2, Loads: 2, Reopens: 1, Bare: true}, withHuge)
}

func TestMutationsPins(t *testing.T) {
	for mutation := PinMutation(1); mutation < pinMutations; mutation++ {
		sound := Pins{Writers: 1, Stores: 3, Handles: 1, Goroutines: 1, Loads: 1, Reopens: 1}
		switch mutation {
		case PinsEarly:
			sound = Pins{Writers: 2, Stores: 1, Handles: 1, Goroutines: 1, Loads: 1}
		case UnpinAll, DeadPinsCount:
			sound.Goroutines = 2
		}
		mistaken := sound
		mistaken.Mutation = mutation
		caught(t, mutation.String(), &mistaken, &sound)
	}
}
