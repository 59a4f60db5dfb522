package call

import "time"

// Slots sets how many slots each conn has.
func Slots(n int) ListenOption { return listenOption(func(c *listenConfig) { c.slots = n }) }

// SetIdleBody shortens how long a body region is kept warm, and returns what
// puts it back. No conn may be open at either.
func SetIdleBody(d time.Duration) (restore func()) {
	before := idleBody
	idleBody = d
	return func() { idleBody = before }
}

// FreeSlots counts the conn's free slots.
func FreeSlots(c *Conn) int {
	n := 0
	for i := range c.control.slots {
		if c.free.words[i/64].Load()>>(i%64)&1 == 1 {
			n++
		}
	}
	return n
}

// SlotWaiters counts the callers that wait for a slot.
func SlotWaiters(c *Conn) int { return int(c.free.waiters.Load()) }

// Warm counts the conn's body regions that no call uses, and the bytes of all.
func Warm(c *Conn) (regions int, total int64) {
	c.bodies.mu.Lock()
	defer c.bodies.mu.Unlock()
	return len(c.bodies.warm), c.bodies.total
}

// QuotaWaiters reports whether a caller waits for quota.
func QuotaWaiters(c *Conn) bool {
	c.bodies.mu.Lock()
	defer c.bodies.mu.Unlock()
	return c.bodies.changed != nil
}

// TakeQuota uses up the conn's quota until it is given back.
func TakeQuota(c *Conn, bytes int64) (giveBack func()) {
	c.bodies.mu.Lock()
	defer c.bodies.mu.Unlock()
	c.bodies.total += bytes
	return func() {
		c.bodies.mu.Lock()
		defer c.bodies.mu.Unlock()
		c.bodies.total -= bytes
		c.bodies.notify()
	}
}

// Kept returns the bytes of results that the server keeps for all its clients.
func Kept(s *Server) (bytes int64) {
	for _, x := range s.all() {
		bytes += x.kept.Load()
	}
	return bytes
}

// WrapSlot makes the numbers of a slot that has never been used begin just below
// their end, on both sides.
func WrapSlot(c *Conn, s *Server, i int) {
	const n = 1<<32 - 4 // even, as the pending bits are at the beginning
	for _, x := range s.all() {
		if other := x.slot(i); other.seen == 0 && x.control.slot(i).req.seq.Load() == 0 {
			other.seen = n
			other.letGo.Store(n)
			other.req.seq.Store(n)
			other.rsp.seq.Store(n)
		}
	}
	c.slotAt(i).seq = n
}
