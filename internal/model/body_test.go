package model

import (
	"fmt"
	"testing"
	"time"
)

func TestExploreBodies(t *testing.T) {
	for _, m := range []Bodies{
		{Calls: 1},
		{Calls: 2},
		{Calls: 2, Cancel: true, Death: true},
		{Calls: 2, Lease: true, Cancel: true, Death: true},
	} {
		began := time.Now()
		r := Explore(&m, 0)
		if r.Violation != nil {
			t.Fatal(r.Violation)
		}
		report(t, fmt.Sprintf("bodies: 2 callers, %d calls, lease %v, cancel %v, client dies %v", m.Calls, m.Lease, m.Cancel, m.Death), r, began)
	}
}

func TestMutationsBodies(t *testing.T) {
	for mutation := BodyMutation(1); mutation < bodyMutations; mutation++ {
		t.Run(mutation.String(), func(t *testing.T) {
			m := Bodies{Calls: 2, Lease: mutation >= LeaseWarm, Cancel: true, Death: true, Mutation: mutation}
			began := time.Now()
			r := Explore(&m, 0)
			if r.Violation == nil {
				t.Fatalf("not caught in %d states", r.States)
			}
			report(t, "caught: bodies: "+mutation.String(), r, began)
			t.Log(r.Violation)
		})
	}
}
