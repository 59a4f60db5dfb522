package call

import (
	"context"
	"sync"
	"time"
)

// monitorPeriod is how often the monitor looks: a handler that the worker runs is
// overtaken after one to two of them.
const monitorPeriod = time.Millisecond

// monitor overtakes workers that are stuck in a handler: docs/PROTOCOL.md, "When a
// handler is slow". It looks only while some worker of the server is awake, or was since the last
// look: where workers wake for one call after another, it costs a wake of its own less to
// go on looking than to be woken with each.
type monitor struct {
	kick chan struct{}

	mu    sync.Mutex
	awake map[*session]uint64 // the run that the worker was in at the last look
	woke  bool                // one has woken since the last look
	rests bool                // it waits for a kick
}

func (m *monitor) init() {
	m.kick = make(chan struct{}, 1)
	m.awake = map[*session]uint64{}
}

// watch begins to watch a session's worker, forget ends it.
func (m *monitor) watch(x *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.awake[x] = 0
	if m.rests {
		m.rests = false
		m.kick <- struct{}{} // has room: it rests only when there is none
	} else {
		m.woke = true
	}
}

func (m *monitor) forget(x *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.awake, x)
}

func (m *monitor) run(ctx context.Context) {
	tick := time.NewTimer(monitorPeriod)
	defer tick.Stop()
	for {
		if !m.look() {
			select {
			case <-m.kick:
			case <-ctx.Done():
				return
			}
		}
		tick.Reset(monitorPeriod)
		<-tick.C
	}
}

// look looks at every worker once and reports whether to look again, since one is awake or was
// lately. Otherwise it rests.
func (m *monitor) look() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for x, before := range m.awake {
		w := x.role.current.Load()
		now := w.inline.Load()
		m.awake[x] = now
		if now != 0 && now == before && w.overtake(now) {
			m.awake[x] = 0
		}
	}
	again := m.woke || len(m.awake) > 0
	m.woke, m.rests = false, !again
	return again
}

// settle waits until an overtaking that has begun is done. A worker that has lost
// its role ends only then: until the new worker is counted in, the old one is all
// that keeps the session from ending under the monitor.
func (m *monitor) settle() {
	m.mu.Lock()
	defer m.mu.Unlock()
}

// overtake gives the role to a new worker, unless the handler has just returned.
func (w *worker) overtake(run uint64) bool {
	x := w.session
	x.apart.Add(1)
	if !w.inline.CompareAndSwap(run, overtaken) {
		x.apart.Add(-1)
		return false
	}
	if h := w.method; h != nil {
		h.recent.Store(int64(tooLong))
	}
	x.users.Go(newWorker(x).work)
	return true
}
