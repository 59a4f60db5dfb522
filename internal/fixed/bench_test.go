package fixed_test

import (
	"testing"

	"github.com/partywall/partywall/internal/fixed"
)

type padded64 struct {
	A uint8
	B [6]uint64
	C uint8
}

type flagged64 struct {
	A [7]uint64
	B [8]bool
}

func BenchmarkPublish(b *testing.B) {
	b.Run("solid64", benchPublish[solid])
	b.Run("padded64", benchPublish[padded64])
	b.Run("solid4096", benchPublish[[4096]byte])
}

func BenchmarkReceive(b *testing.B) {
	b.Run("solid64", benchReceive[solid])
	b.Run("padded64", benchReceive[padded64])
	b.Run("bools64", benchReceive[flagged64])
	b.Run("solid4096", benchReceive[[4096]byte])
}

func BenchmarkOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = fixed.Of[solid]()
	}
}

func benchPublish[T any](b *testing.B) {
	typ := typeOf[T](b)
	shared := make([]byte, typ.Size())
	v := new(T)
	b.ReportAllocs()
	b.SetBytes(int64(typ.Size()))
	for b.Loop() {
		typ.Publish(shared, fixed.Bytes(v))
	}
}

func benchReceive[T any](b *testing.B) {
	typ := typeOf[T](b)
	shared := make([]byte, typ.Size())
	v := new(T)
	b.ReportAllocs()
	b.SetBytes(int64(typ.Size()))
	for b.Loop() {
		typ.Receive(fixed.Bytes(v), shared)
	}
}

type swapped64 struct {
	A [4]uint64
	B [8]uint16
	D int64
	C float64
}

func BenchmarkApply(b *testing.B) {
	b.Run("same64", benchApply[solid, solid])
	b.Run("swapped64", benchApply[solid, swapped64])
	b.Run("padded64", benchApply[padded64, padded64])
}

func benchApply[From, To any](b *testing.B) {
	from, to := typeOf[From](b).Schema(), typeOf[To](b).Schema()
	c := conversion(b, from, to)
	src, dst := make([]byte, from.Size), make([]byte, to.Size)
	b.ReportAllocs()
	b.SetBytes(int64(to.Size))
	for b.Loop() {
		c.Apply(dst, src)
	}
}

func BenchmarkUnion(b *testing.B) {
	have, want := schemaOf[weather3](b), schemaOf[weather2](b)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = fixed.Union(have, want)
	}
}
