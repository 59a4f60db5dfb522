package model

import "testing"

func TestExploreLinks(t *testing.T) {
	const either = 1<<client | 1<<server
	for _, m := range []Links{
		{Messages: 4, Room: 2},
		{Messages: 2, Back: 1, Room: 1},
		{Messages: 3, Room: 1, GiveUp: true},
		{Messages: 3, Room: 1, Handles: true, GiveUp: true, Dies: 1 << server},
		{Messages: 3, Room: 2, Dies: either},
		{Messages: 2, Room: 1, Closes: 1 << server, GiveUp: true},
		{Messages: 2, Room: 1, Closes: 1 << server, Lingers: true},
		{Messages: 1, Room: 1, Closes: either, Dies: either},
		{Messages: 1, Back: 1, Room: 1, Closes: 1 << client, Dies: 1 << server},
		{Rings: 2, BackRings: 1, Room: 1},
		{Messages: 2, Rings: 2, Room: 1},
		{Rings: 2, Room: 1, Closes: 1 << client, Dies: 1 << client},
		{Messages: 1, Rings: 1, BackRings: 1, Room: 1, Closes: 1 << server},
		{Messages: 2, Room: 1, Handles: true, Closes: 1 << client, Dies: 1 << client},
	} {
		explored(t, &m, always)
	}
	explored(t, &Links{Messages: 3, Room: 2, Closes: 1 << client}, unlessShort)
	explored(t, &Links{Messages: 3, Room: 2, Handles: true, Closes: 1 << client}, withHuge)
	explored(t, &Links{Messages: 2, Room: 1, Handles: true, Closes: either, Dies: either}, withHuge)
	explored(t, &Links{Messages: 2, Back: 2, Room: 1}, withHuge)
	explored(t, &Links{Messages: 3, Room: 2, Closes: either}, withHuge)
}

func TestMutationsLinks(t *testing.T) {
	for mutation := LinkMutation(1); mutation < linkMutations; mutation++ {
		sound := Links{Messages: 2, Room: 1}
		switch mutation {
		case EndLate, CloseSilent, CloseRingsOnce, CloseUnder:
			sound = Links{Messages: 1, Room: 1, Closes: 1 << client}
		case RangForgotten, TokenFirst:
			sound = Links{Rings: 1, Room: 1}
		case RangLate:
			sound = Links{Messages: 1, Rings: 1, Room: 1}
		case DeathNoSpace:
			sound = Links{Messages: 2, Room: 1, Dies: 1 << server, Lingers: true}
		case DeathTokenLate:
			sound.Dies = 1 << client
		case HandleAtOnce, HandleTwice, ReadUntaken:
			sound.Handles = true
		case HandleKept, TakenBlindly:
			sound = Links{Messages: 1, Room: 1, Handles: true, Closes: 1 << client}
		}
		mistaken := sound
		mistaken.Mutation = mutation
		caught(t, mutation.String(), &mistaken, &sound)
	}
}
