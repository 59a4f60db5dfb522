package call

import (
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

// BenchmarkStepLook is what an idle worker does between two pauses.
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
