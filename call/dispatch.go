package call

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/partywall/partywall/internal/wait"
)

const (
	// shortLimit: a method whose handler took no longer of late runs in the
	// worker; a goroutine of its own would cost about half a microsecond.
	shortLimit = 10 * time.Microsecond

	// mediumLimit: up to this it runs in the worker as long as requests come one
	// by one, since another thread would have to be found a processor first.
	mediumLimit = 200 * time.Microsecond

	// crowdRuns is how many medium handlers run apart after one that ran in the
	// worker has kept another request waiting.
	crowdRuns = 64

	// tooLong is the longest time that counts, so that one slow run is
	// forgotten after some twenty short ones.
	tooLong = time.Millisecond

	// sampleEvery: of the runs in the worker, every so many are timed.
	sampleEvery = 8
)

// dispatch checks the request in s, whose fields it loads once, and runs it here
// or apart. ok is false when the worker has lost the role or ended the conn.
func (w *worker) dispatch(s *serverSlot) (ok bool) {
	x := w.session
	s.fields = s.req.requestFields
	h, err := x.prepare(s)
	if err != nil {
		x.end(err)
		return false
	}
	if h != nil && x.server.leaving.Load() {
		// Refused here and not in run, where it would count as a handler that
		// runs, so that the conn could not end with BYE.
		x.answer(s, responseFields{status: statusRefused})
		return true
	}
	medium := false
	if h != nil {
		recent := time.Duration(h.recent.Load())
		medium = shortLimit < recent && recent <= mediumLimit
		if recent > mediumLimit || medium && w.crowded() {
			x.runApart(s, h)
			return true
		}
	} else if len(s.kept) > minBody {
		x.runApart(s, h)
		return true
	}
	w.waited = medium
	return w.runInline(s, h, medium)
}

// crowded reports whether medium handlers shall run apart. It is asked when there
// is a request; waited says that it came while such a handler ran.
func (r *role) crowded() bool {
	if r.waited {
		r.crowd = crowdRuns
	}
	if r.crowd > 0 {
		r.crowd--
		return true
	}
	return false
}

// runApart runs the request on a goroutine of its own.
func (x *session) runApart(s *serverSlot, h *handler) {
	x.apart.Add(1)
	x.users.Go(func() {
		defer x.apart.Add(-1)
		x.runTimed(s, h, 1)
	})
}

// runInline runs the request in the worker. A handler that ends its goroutine
// with runtime.Goexit ends the worker, which then needs a successor. With timed it
// is timed in any case.
func (w *worker) runInline(s *serverSlot, h *handler, timed bool) (ok bool) {
	x := w.session
	w.run++
	run, returned := w.run, false
	w.method = h
	w.inline.Store(run)
	defer func() {
		ok = w.inline.CompareAndSwap(run, 0)
		switch {
		case !ok:
			x.server.monitor.settle()
			x.apart.Add(-1)
		case !returned:
			w.replace()
		}
	}()
	if timed {
		x.runTimed(s, h, 1)
	} else if run%sampleEvery == 1 {
		x.runTimed(s, h, sampleEvery)
	} else {
		x.run(s, h)
	}
	returned = true
	return
}

// runTimed is run, and remembers how long the handler took, but for waking the client: that says
// nothing about the handler, and can take longer than it. The run stands for so many.
func (x *session) runTimed(s *serverSlot, h *handler, runs uint64) {
	start := wait.Now()
	ringing := x.run(s, h)
	if h != nil {
		whole := wait.Now() - start - ringing
		h.times.add(whole, runs)
		took, recent := int64(min(whole, tooLong)), h.recent.Load()
		x.worked.Store(took)
		h.recent.Store(recent + (took-recent)/8)
	}
}

// run runs the handler and answers. It returns how long it took to wake the client.
func (x *session) run(s *serverSlot, h *handler) (ringing time.Duration) {
	switch {
	case h == nil:
		x.fetch(s)
		return 0
	case x.server.leaving.Load():
		return x.answer(s, responseFields{status: statusRefused})
	}
	x.calls[h.index].Add(1)
	f := &s.fields
	if f.flags&flagCancellable == 0 {
		return x.protect(x.ctx, nil, s, h)
	}
	c := &callContext{connContext: x.ctx}
	if f.flags&flagDeadline != 0 {
		c.deadline = f.deadline
	}
	s.running.Store(s.number)
	s.ctx.Store(c)
	if s.given.Load() == uint64(s.number)|givenUp {
		c.end(context.Canceled)
	}
	return x.protect(c, c, s, h)
}

// failure is how a handler failed, as the answer says it.
type failure struct {
	status uint32
	text   string
}

// protect calls the handler and answers. A panic becomes the answer, and so does
// runtime.Goexit, which ends this goroutine all the same. The handler's error is
// asked for its text in here, since that is the handler's code too. c is ctx, or
// nil if that is the session's. It returns how long it took to wake the client.
func (x *session) protect(ctx context.Context, c *callContext, s *serverSlot, h *handler) (ringing time.Duration) {
	returned := false
	defer func() {
		if returned {
			return
		}
		text := "runtime.Goexit was called"
		if v := recover(); v != nil {
			text = fmt.Sprint(v)
		}
		x.server.config.onError(fmt.Errorf("service %q: method %q panicked: %s\n%s", x.server.name, h.name, text, debug.Stack()))
		ringing = x.finish(c, s, h, &failure{statusPanic, text})
	}()
	s.task.out, s.task.resultLen = 0, 0
	var failed *failure
	if err := h.serve(ctx, &s.task); err != nil {
		failed = &failure{statusError, err.Error()}
		if q := (*quotaError)(nil); errors.As(err, &q) {
			failed.status = statusQuota
		} else if l := (*layoutError)(nil); errors.As(err, &l) {
			failed.status = statusLayout
		} else if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == context.DeadlineExceeded {
			failed.status = statusLate
		}
	}
	returned = true
	return x.finish(c, s, h, failed)
}

// finish ends the call's context and answers.
func (x *session) finish(c *callContext, s *serverSlot, h *handler, failed *failure) (ringing time.Duration) {
	if c != nil {
		s.ctx.Store(nil)
		c.end(context.Canceled)
	}
	t := &s.task
	if failed != nil {
		h.failed.Add(1)
		t.unkeep()
		n := copy(s.result, cutText(failed.text, len(s.result)))
		return x.answer(s, responseFields{status: failed.status, resultLen: uint32(n)})
	}
	fields := responseFields{status: statusDone, resultLen: uint32(t.resultLen), bodyLen: uint64(t.out)}
	if t.keep != nil {
		fields.status = statusKept
		s.kept, t.keep = t.keep, nil
	}
	return x.answer(s, fields)
}

// fetch copies what was kept into the region that the client has lent for it.
// Without a region, it is dropped.
func (x *session) fetch(s *serverSlot) {
	var n int
	if s.task.region != nil {
		if s.kept == nil || len(s.kept) > len(s.task.room) {
			x.end(s.broke("a fetch of %d bytes into %d", len(s.kept), len(s.task.room)))
		} else {
			n = len(s.kept)
			copyBody(s.task.room, s.kept)
		}
	}
	x.unkeep(s)
	x.answer(s, responseFields{status: statusDone, bodyLen: uint64(n)})
}

// unkeep drops what was kept for the slot's last call.
func (x *session) unkeep(s *serverSlot) {
	if s.kept != nil {
		x.kept.Add(-int64(len(s.kept)))
		s.kept = nil
	}
}

// answer publishes the answer to the slot's request and lets go of the slot. If somebody is parked for it and the
// client is asleep, it wakes the client, and returns how long that took.
func (x *session) answer(s *serverSlot, fields responseFields) (ringing time.Duration) {
	if r := s.task.region; r != nil {
		s.task.region, s.task.arg, s.task.meta, s.task.body, s.task.room = nil, nil, nil, nil, nil
		x.lent.done(r)
	}
	n := s.number
	s.rsp.responseFields = fields
	s.letGo.Store(n)
	wait.Announce(&s.rsp.seq, n)
	if s.req.waits.Load() == n && x.bell.Due() {
		x.rang.Store(true)
		start := wait.Now()
		x.link.Ring()
		ringing = wait.Now() - start
	}
	return ringing
}
