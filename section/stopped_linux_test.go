package section_test

import (
	"context"
	"testing"
)

// A writer has switched, and is stopped before it releases the lock: who watches gets the version, and who
// loads as well.
func TestWriterStopsAfterTheSwitch(t *testing.T) {
	clean(t)
	a, b := open[plant](t, "stops/switched"), open[plant](t, "stops/switched")
	if err := a.Store(plant{Jobs: 1}); err != nil {
		t.Fatal(err)
	}
	anchor, region := files("stops/switched")
	poke(t, region(1), atLock, lockHeld(0, true)) // a's number: it lives, and is about to switch
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	got, ended := changes(ctx, b)
	if c := next(t, got); c.Version != 1 {
		t.Fatal(c)
	}
	eventually(t, "the watcher has spun enough", func() bool { return peek(t, anchor, atBell)>>32 == 1 /* sleepers */ })
	poke(t, region(1), atSwitch, 2<<4|peek(t, region(1), atSwitch)&7)
	if c := next(t, got); c.Version != 2 || c.Value.Jobs != 1 {
		t.Error(c)
	}
	var v plant
	if version := must(b.LoadTo(&v))(t); version != 2 {
		t.Error(version)
	}
	poke(t, region(1), atLock, 0)
	if err := b.Store(plant{Jobs: 3}); err != nil {
		t.Fatal(err)
	}
	if c := next(t, got); c.Version != 3 || c.Value.Jobs != 3 {
		t.Error(c)
	}
	cancel()
	next(t, ended)
}
