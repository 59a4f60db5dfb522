package call

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	// inlineLimit: a method whose handler took longer of late runs on a
	// goroutine of its own, which costs about half a microsecond.
	inlineLimit = 10 * time.Microsecond

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
	if h == nil && len(s.kept) > minBody || h != nil && h.recent.Load() > int64(inlineLimit) {
		x.apart.Add(1)
		x.users.Go(func() {
			x.runTimed(s, h)
			x.apart.Add(-1)
		})
		return true
	}
	w.run++
	run := w.run
	w.method = h
	w.inline.Store(run)
	if run%sampleEvery == 1 {
		x.runTimed(s, h)
	} else {
		x.run(s, h)
	}
	if !w.inline.CompareAndSwap(run, 0) {
		x.apart.Add(-1)
		return false
	}
	return true
}

// prepare checks the fields of a request and makes its task. The handler is nil
// for a fetch. The error ends the conn.
func (x *session) prepare(s *serverSlot) (*handler, error) {
	f, t := &s.fields, &s.task
	if checkFields && f.flags&^knownFlags != 0 {
		return nil, s.broke("unknown flags %#x", f.flags)
	}
	var h *handler
	if f.flags&flagFetch == 0 {
		x.unkeep(s)
		handlers := x.server.handlers
		if f.method == 0 || int64(f.method) > int64(len(handlers)) {
			return nil, s.broke("method %d of %d", f.method, len(handlers))
		}
		h = handlers[f.method-1]
		if checkFields && int64(f.argLen) != int64(h.arg.Size()) {
			return nil, s.broke("an argument of %d bytes for method %q, which takes %d", f.argLen, h.name, h.arg.Size())
		}
	}
	t.body, t.room, t.region = nil, nil, nil
	if f.region != 0 {
		r := x.lent.use(f.region)
		if r == nil {
			return nil, s.broke("region %d, which is not lent", f.region)
		}
		mem := r.Bytes()
		if f.bodyLen > uint64(len(mem)) {
			x.lent.done(r)
			return nil, s.broke("a body of %d bytes in a region of %d", f.bodyLen, len(mem))
		}
		at := min(bodyOffset(f.bodyLen), uint64(len(mem)))
		t.region, t.body, t.room = r, mem[:f.bodyLen:f.bodyLen], mem[at:]
	} else if f.bodyLen != 0 {
		return nil, s.broke("a body of %d bytes in no region", f.bodyLen)
	}
	return h, nil
}

// runTimed is run, and remembers how long the handler took.
func (x *session) runTimed(s *serverSlot, h *handler) {
	start := time.Now()
	x.run(s, h)
	if h != nil {
		took, recent := int64(min(time.Since(start), tooLong)), h.recent.Load()
		h.recent.Store(recent + (took-recent)/8)
	}
}

// run runs the handler and answers.
func (x *session) run(s *serverSlot, h *handler) {
	switch {
	case h == nil:
		x.fetch(s)
		return
	case x.server.leaving.Load():
		x.answer(s, responseFields{status: statusRefused})
		return
	}
	var err error
	if f := &s.fields; f.flags&flagCancellable == 0 {
		err = x.protect(x.ctx, s, h)
	} else {
		c := &callContext{Context: x.ctx, number: s.number}
		if f.flags&flagDeadline != 0 {
			c.deadline = f.deadline
		}
		s.ctx.Store(c)
		if s.given.Load() == uint64(s.number)|givenUp {
			c.end(context.Canceled)
		}
		err = x.protect(c, s, h)
		s.ctx.Store(nil)
		c.end(context.Canceled)
	}
	if err != nil {
		x.answerError(s, err)
		return
	}
	t := &s.task
	fields := responseFields{status: statusDone, resultLen: uint32(h.result.Size()), bodyLen: uint64(t.out)}
	if t.keep != nil {
		fields.status = statusKept
		s.kept, t.keep = t.keep, nil
	}
	x.answer(s, fields)
}

// panicked is a handler's panic.
type panicked struct{ text string }

func (p *panicked) Error() string { return p.text }

// protect calls the handler and turns a panic into an error.
func (x *session) protect(ctx context.Context, s *serverSlot, h *handler) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover() // nil after runtime.Goexit, which ends the goroutine all the same
		err = &panicked{fmt.Sprint(v)}
		x.server.config.onError(fmt.Errorf("service %q: method %q panicked: %v\n%s", x.server.name, h.name, v, debug.Stack()))
	}()
	s.task.out = 0
	err = h.serve(ctx, &s.task)
	returned = true
	return err
}

func (x *session) answerError(s *serverSlot, err error) {
	s.task.unkeep()
	status := uint32(statusError)
	if p := (*panicked)(nil); errors.As(err, &p) {
		status = statusPanic
	} else if q := (*quotaError)(nil); errors.As(err, &q) {
		status = statusQuota
	}
	n := copy(s.result, cutText(err.Error(), len(s.result)))
	x.answer(s, responseFields{status: status, resultLen: uint32(n)})
}

// fetch copies what was kept into the region that the client has lent for it.
// Without a region, it is dropped.
func (x *session) fetch(s *serverSlot) {
	var n int
	if s.task.region != nil {
		if s.kept == nil || len(s.kept) > len(s.task.room) {
			x.end(s.broke("a fetch of %d bytes into %d", len(s.kept), len(s.task.room)))
		}
		n = copy(s.task.room, s.kept)
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

// answer publishes the answer to the slot's request and lets go of the slot.
func (x *session) answer(s *serverSlot, fields responseFields) {
	if r := s.task.region; r != nil {
		s.task.region, s.task.body, s.task.room = nil, nil, nil
		x.lent.done(r)
	}
	n := s.number
	s.rsp.responseFields = fields
	s.letGo.Store(n)
	s.rsp.seq.Store(n)
	if x.bell.Due() {
		x.link.Ring()
	}
}
