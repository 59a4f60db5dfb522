package section_test

import (
	"context"
	"testing"

	"github.com/partywall/partywall/section"
)

func benchLoad[T any](b *testing.B) {
	s := open[T](b, "bench")
	v := new(T)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.LoadTo(v); err != nil {
			b.Fatal(err)
		}
	}
}

func benchStore[T any](b *testing.B) {
	s := open[T](b, "bench")
	v := new(T)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.StoreFrom(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.Run("64B", benchLoad[small])
	b.Run("4KiB", benchLoad[medium])
	b.Run("1MiB", benchLoad[large])
}

func BenchmarkStore(b *testing.B) {
	b.Run("64B", benchStore[small])
	b.Run("4KiB", benchStore[medium])
	b.Run("1MiB", benchStore[large])
}

// A program that knows fewer fields than the section merges.
func BenchmarkMerge(b *testing.B) {
	open[everyKind](b, "bench")
	fewer := open[struct{ I64 int64 }](b, "bench")
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := fewer.Load(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("store", func(b *testing.B) {
		for b.Loop() {
			if err := fewer.Store(struct{ I64 int64 }{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	s := open[small](b, "bench")
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Update(ctx, func(v *small) error { v[0]++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDocument(b *testing.B) {
	s := open[tree](b, "bench")
	v := treeOf(7)
	b.Run("store", func(b *testing.B) {
		for b.Loop() {
			if err := s.Store(v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Load(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Two handles of one process: one stores what the other has seen, and the other way round.
func BenchmarkWatch(b *testing.B) {
	there, back := open[small](b, "bench/there"), open[small](b, "bench/back")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for c, err := range there.Watch(ctx) {
			if err != nil || back.Store(c.Value) != nil {
				return
			}
		}
	}()
	var known uint64
	b.ReportAllocs()
	for b.Loop() {
		if err := there.Store(small{}); err != nil {
			b.Fatal(err)
		}
		var err error
		if known, err = back.Await(ctx, known); err != nil {
			b.Fatal(err)
		}
	}
}

// Opening a section that nobody has, and closing it.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		s, err := section.Open[small]("bench/open")
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
