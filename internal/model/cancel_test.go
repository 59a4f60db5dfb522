package model

import (
	"fmt"
	"testing"
	"time"
)

func TestExploreCancels(t *testing.T) {
	m := Cancels{Calls: 6}
	began := time.Now()
	r := Explore(&m, 0)
	if r.Violation != nil {
		t.Fatal(r.Violation)
	}
	report(t, fmt.Sprintf("cancels: %d calls", m.Calls), r, began)
}

func TestMutationsCancels(t *testing.T) {
	for mutation := CancelMutation(1); mutation < cancelMutations; mutation++ {
		t.Run(mutation.String(), func(t *testing.T) {
			m := Cancels{Calls: 6, Mutation: mutation}
			began := time.Now()
			r := Explore(&m, 0)
			if r.Violation == nil {
				t.Fatalf("not caught in %d states", r.States)
			}
			report(t, "caught: cancels: "+mutation.String(), r, began)
			t.Log(r.Violation)
		})
	}
}
