package call_test

import (
	"context"
	"testing"

	"github.com/partywall/partywall/call"
)

// A slot's numbers begin again after 2^32 calls. Nothing else does.
func TestNumbersWrap(t *testing.T) {
	if raceEnabled {
		t.Skip("the detector does not see that two mappings are one memory, which orders what is done here")
	}
	f := startLocal(t, config{Slots: 64})
	c := f.dial()
	const slot = 5
	for range slot { // the slots below are in use, so that the next call takes this one
		hold(context.Background(), c, holdArg{Key: 1})
	}
	eventually(t, "they have their slots", func() bool { return call.FreeSlots(c) == 64-slot })
	// The others' requests have been taken, so nobody looks at the slot now.
	if _, err := f.host.stage.await(context.Background(), 1, func(n note) bool { return n.Held == slot }); err != nil {
		t.Fatal(err)
	}
	call.WrapSlot(c, f.host.srv, slot)
	for i := range int64(20) {
		r, err := addM.Call(context.Background(), c, [2]int64{i, 1})
		if err != nil || r.N != i+1 {
			t.Fatalf("call %d: %d, %v", i, r.N, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		given := hold(ctx, c, holdArg{Key: uint32(100 + i)})
		if _, err := f.host.stage.await(context.Background(), uint32(100+i), func(n note) bool { return n.Held == 1 }); err != nil {
			t.Fatal(err)
		}
		cancel()
		wantErr(t, recv(t, given).err, context.Canceled)
		eventually(t, "the slot is free again", func() bool { return call.FreeSlots(c) == 64-slot })
	}
	blob(t, c, 10, 200_000, 0)
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
}
