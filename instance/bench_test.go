package instance_test

import (
	"context"
	"errors"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

// What a later process's Acquire takes, to another process: its start is not in it.
func BenchmarkHandOver(b *testing.B) {
	prepare(b)
	p := proctest.Start(b, "player")
	tell(b, p, order{Do: "acquire", Name: "bench"})
	hear(b, p, "first")
	go func() {
		for range p.Lines() {
		}
	}()
	for b.Loop() {
		if _, err := instance.Acquire(context.Background(), "bench", instance.Args("open", "a file.txt")); !errors.Is(err, partywall.ErrRunning) {
			b.Fatal(err)
		}
	}
}

// What it takes to become the first, and to give the name back.
func BenchmarkFirst(b *testing.B) {
	prepare(b)
	for b.Loop() {
		i, err := instance.Acquire(context.Background(), "bench")
		if err != nil {
			b.Fatal(err)
		}
		i.Close()
	}
}
