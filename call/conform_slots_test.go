package call_test

import (
	"context"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
)

// hang gives n calls up whose handlers stay, and returns when all have.
func (f *fixture) hang(c, other *call.Conn, key uint32, n int) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var calls []chan outcome
	for range n {
		calls = append(calls, hold(ctx, c, holdArg{Key: key, Deaf: true}))
	}
	f.seen(other, key, int32(n), 0)
	cancel()
	for _, done := range calls {
		wantErr(f.t, recv(f.t, done).err, context.Canceled)
	}
}

// A handler that hangs costs its client the slot, and nobody else anything.
func TestHungHandlersCostSlots(t *testing.T) {
	eachWay(t, config{Slots: 64}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		f.hang(c, other, 1, 63)
		if n := call.FreeSlots(c); n != 1 {
			t.Fatalf("%d slots are free beside 63 hung handlers", n)
		}
		hammer(t, c, 8, 50)

		f.hang(c, other, 2, 1)
		ctx, cancel := within(20 * time.Millisecond)
		defer cancel()
		_, err := addM.Call(ctx, c, [2]int64{1, 2})
		wantErr(t, err, context.DeadlineExceeded)
		wantText(t, err, f.name, "add")
		hammer(t, other, 8, 50)

		f.open(other, 1)
		f.open(other, 2)
		f.seen(other, 1, 63, 63)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 64 })
		hammer(t, c, 100, 10)
	})
}

// Those who wait for a slot get one as soon as there is one, and each can stop
// waiting by itself.
func TestWaitForASlot(t *testing.T) {
	eachWay(t, config{Slots: 64}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		f.hang(c, other, 1, 63)
		last := hold(context.Background(), c, holdArg{Key: 2})
		f.seen(other, 2, 1, 0)

		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		quits, stays := make(chan error, 50), make(chan error, 50)
		for range 50 {
			go func() { _, err := addM.Call(ctx, c, [2]int64{}); quits <- err }()
			go func() { _, err := addM.Call(context.Background(), c, [2]int64{}); stays <- err }()
		}
		eventually(t, "all wait", func() bool { return call.SlotWaiters(c) == 100 })
		cancel()
		for range 50 {
			wantErr(t, recv(t, quits), context.Canceled)
		}
		if n := call.SlotWaiters(c); n != 50 {
			t.Errorf("%d wait", n)
		}
		f.open(other, 2)
		for range 50 {
			if err := recv(t, stays); err != nil {
				t.Fatal(err)
			}
		}
		if err := recv(t, last).err; err != nil {
			t.Fatal(err)
		}
		f.open(other, 1)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 64 })
	})
}

// A slot whose caller has gone is nobody's until the handler has returned: its
// answer must not be taken for another call's.
func TestGivenUpSlotIsNotReused(t *testing.T) {
	eachWay(t, config{Slots: 64}, func(t *testing.T, f *fixture) {
		c, other := f.dial(), f.dial()
		for round := range uint32(30) {
			f.hang(c, other, round, 1+int(round%7))
			opened := make(chan error, 1)
			go func() {
				_, err := openM.Call(context.Background(), other, number{int64(round)})
				opened <- err
			}()
			hammer(t, c, 4, 10)
			if err := recv(t, opened); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 64 })
	})
}

// Slow handlers do not hold up quick ones.
func TestSlowHandlersDelayNobody(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		var calls []chan outcome
		for key := range uint32(20) {
			calls = append(calls, hold(context.Background(), c, holdArg{Key: key}))
		}
		hammer(t, c, 4, 100)
		for key, done := range calls {
			f.open(c, uint32(key))
			if err := recv(t, done).err; err != nil {
				t.Fatal(err)
			}
		}
	})
}
