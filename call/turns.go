package call

import "sync/atomic"

// turns are the callers of a conn in the order in which they let others run: so they will run again, since Go's
// scheduler has a queue for them. Who runs again knows by it who is next, and fetches his answer's cache lines for him. A
// wrong guess costs a fetch in vain.
type turns struct {
	last  atomic.Uint32
	slots [maxSlots]atomic.Uint32
}

// queue puts a slot behind the others, and returns where that is.
func (t *turns) queue(slot int) (at uint32) {
	at = t.last.Add(1)
	t.slots[at%maxSlots].Store(uint32(slot))
	return at
}

// behind returns the slot that was put behind the one at a place.
func (t *turns) behind(at uint32) (slot int) { return int(t.slots[(at+1)%maxSlots].Load()) }
