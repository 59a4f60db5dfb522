package instance

import (
	"context"
	"time"

	"github.com/partywall/partywall/call"
)

// Message is a launch as it travels, and Deliver the method that takes it.
type Message = message

var Deliver = deliver

const (
	Prefix = prefix
	Ending = ending
)

// SetPatience shortens the patience without a deadline, and returns what undoes it.
func SetPatience(d time.Duration) (undo func()) {
	before := patience
	patience = d
	return func() { patience = before }
}

// WhenTaken has f called with each launch that a loop has been given, before that is confirmed.
func WhenTaken(f func(Launch)) { whenTaken = f }

// Answer is a handler that answers every launch alike.
func Answer(outcome uint32, err error) func(context.Context, *call.In[message], *call.Out[verdict]) error {
	return func(_ context.Context, _ *call.In[message], out *call.Out[verdict]) error {
		out.Result.Outcome = outcome
		return err
	}
}
