package call

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/wait"
)

// The steps of a call's hot path, each alone and without another processor:
// what is left of a call's time is the two transfers of cache lines.

func BenchmarkStepClaimRelease(b *testing.B) {
	var f freeSlots
	f.init(maxSlots)
	for b.Loop() {
		f.release(f.take())
	}
}

// With most slots in use the search is longer.
func BenchmarkStepClaimReleaseFull(b *testing.B) {
	var f freeSlots
	f.init(maxSlots)
	for range maxSlots - 1 {
		f.take()
	}
	for b.Loop() {
		f.release(f.take())
	}
}

func BenchmarkStepPublish(b *testing.B) {
	g := geometry{slots: 64, argRoom: minRoom, resultRoom: minRoom}
	r, err := region.Create("control", g.size(), region.Filled)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	c := &Conn{control: newControl(g, r)}
	c.bell.Init(c.serverBell)
	s := &clientSlot{slotView: c.slot(3), index: 3}
	fields := requestFields{method: 1, argLen: 64}
	for b.Loop() {
		s.req.requestFields = fields
		s.seq++
		c.publish(s)
	}
}

func BenchmarkStepArgument(b *testing.B) {
	typ, err := fixed.Of[[64]byte]()
	if err != nil {
		b.Fatal(err)
	}
	var arg [64]byte
	shared := make([]byte, 64)
	for b.Loop() {
		typ.Publish(shared, fixed.Bytes(&arg))
		typ.Receive(fixed.Bytes(&arg), shared)
	}
}

// BenchmarkStepLook is what an idle worker does in a turn of its spin: pauses at the slot taken last, and a look at the pending bits.
func BenchmarkStepLook(b *testing.B) {
	g := geometry{slots: maxSlots, argRoom: minRoom, resultRoom: minRoom}
	r, err := region.Create("control", g.size(), region.Sparse)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	x := &session{control: newControl(g, r), slots: make([]atomic.Pointer[serverSlot], g.slots)}
	x.role.init(x)
	w := newWorker(x)
	for b.Loop() {
		if took, ok := w.look(); took || !ok {
			b.Fatal("there is something")
		}
	}
}

func BenchmarkStepBell(b *testing.B) {
	var word atomic.Uint32
	var bell wait.Bell
	bell.Init(&word)
	for b.Loop() {
		if bell.Due() {
			b.Fatal("nobody sleeps")
		}
	}
}

// benchSides are the client's side and the server's of one conn in this process, without
// their goroutines: the benchmark is both. The method echoes 64 bytes.
func benchSides(b *testing.B) (*Conn, *clientSlot, *worker) {
	g := geometry{slots: 64, argRoom: minRoom, resultRoom: minRoom}
	r, err := region.Create("control", g.size(), region.Filled)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close() })
	srv := &Server{name: "steps"}
	NewMethod[[64]byte, [64]byte]("echo").Handle(srv, func(_ context.Context, in *In[[64]byte], out *Out[[64]byte]) error {
		out.Result = in.Arg
		return nil
	})
	control := newControl(g, r)
	x := &session{
		server:  srv,
		control: control,
		slots:   make([]atomic.Pointer[serverSlot], g.slots),
		calls:   make([]atomic.Uint64, 1),
		ctx:     &connContext{context.Background()},
	}
	x.bell.Init(control.clientBell)
	x.role.init(x)
	c := &Conn{control: control}
	c.bell.Init(control.serverBell)
	s := &clientSlot{slotView: c.slot(0)}
	s.req.requestFields = requestFields{method: 1, argLen: 64}
	return c, s, newWorker(x)
}

// BenchmarkStepServe is all that the server does for a call: notice, dispatch, answer.
func BenchmarkStepServe(b *testing.B) {
	c, s, w := benchSides(b)
	recent := &w.session.server.handlers[0].recent
	for b.Loop() {
		recent.Store(0) // or a busy machine makes it a slow handler
		s.seq++
		c.publish(s)
		if took, ok := w.look(); !took || !ok {
			b.Fatal("the request is not taken")
		}
		if s.rsp.seq.Load() != s.seq {
			b.Fatal("the request is not answered")
		}
	}
}

// BenchmarkStepDispatch is the part after the request was noticed.
func BenchmarkStepDispatch(b *testing.B) {
	_, _, w := benchSides(b)
	s := w.session.slot(0)
	for b.Loop() {
		s.number++
		s.fields = s.req.requestFields
		h, err := w.session.prepare(s)
		if err != nil || !w.runInline(s, h, false) {
			b.Fatal(err)
		}
	}
}

// BenchmarkStepAnswer is the part after the handler has returned.
func BenchmarkStepAnswer(b *testing.B) {
	_, _, w := benchSides(b)
	s := w.session.slot(0)
	for b.Loop() {
		s.number++
		w.session.answer(s, responseFields{status: statusDone, resultLen: 64})
	}
}
