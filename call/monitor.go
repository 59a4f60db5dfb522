package call

import (
	"context"
	"sync"
	"time"
)

const (
	// monitorPeriod is how often the monitor looks while a worker is awake: a handler that
	// it runs is overtaken after one to two of them.
	monitorPeriod = time.Millisecond

	// monitorRelaxed is how long it waits at most between two looks while workers wake, but sleep again
	// before it looks.
	monitorRelaxed = 8 * time.Millisecond
)

// monitor overtakes workers that are stuck in a handler: docs/PROTOCOL.md, "When a
// handler is slow". It looks only while some worker of the server is awake, or was since the last
// look: where workers wake for one call after another, it costs a wake of its own less to
// go on looking than to be woken with each. Then it looks less and less often, since each look is
// a wake too.
type monitor struct {
	kick chan struct{}

	mu    sync.Mutex
	awake map[*session]uint64 // the run that the worker was in at the last look
	woke  bool                // one has woken since the last look
	rests bool                // it waits for a kick
	pause time.Duration       // until the next look
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
		pause := m.look()
		if pause == 0 {
			select {
			case <-m.kick:
				pause = monitorPeriod
			case <-ctx.Done():
				return
			}
		}
		tick.Reset(pause)
		select {
		case <-tick.C:
		case <-ctx.Done(): // it is to end soon
			tick.Reset(monitorPeriod)
			<-tick.C
		}
	}
}

// look looks at every worker once and returns when to look again, since one is awake or was
// lately. Otherwise it returns 0, and rests.
func (m *monitor) look() time.Duration {
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
	switch {
	case len(m.awake) > 0:
		m.pause = monitorPeriod
	case m.woke:
		m.pause = min(max(2*m.pause, monitorPeriod), monitorRelaxed)
	default:
		m.pause = 0
	}
	m.woke, m.rests = false, m.pause == 0
	return m.pause
}

// settle waits until an overtaking that has begun is done. A worker that has lost
// its role ends only then: until the new worker is counted in, the old one is all
// that keeps the session from ending under the monitor.
func (m *monitor) settle() {
	m.mu.Lock()
	defer m.mu.Unlock()
}

// overtake gives the role to a new worker, unless the handler has just returned. If the reader is in the handler, there will be
// a new reader too: CANCEL and the end of the conn are not noticed until then.
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
	w.replace()
	return true
}
