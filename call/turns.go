package call

import "sync/atomic"

// turns are the callers of a conn in the order in which they let others run: so they will run again, since Go's
// scheduler has a queue for them. Who runs again knows by it who is next, and fetches his answer's cache lines for him. A
// wrong guess costs a fetch in vain.
type turns struct {
	last    atomic.Uint32
	answers [maxSlots]atomic.Pointer[responsePart]
}

// queue puts who waits for an answer behind the others, and returns where that is.
func (t *turns) queue(answer *responsePart) (at uint32) {
	at = t.last.Add(1)
	t.answers[at%maxSlots].Store(answer)
	return at
}

// behind returns the answer for which the one behind a place waits, or nil.
func (t *turns) behind(at uint32) *responsePart { return t.answers[(at+1)%maxSlots].Load() }
