package fixed_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
)

func FuzzParseSchema(f *testing.F) {
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := fixed.ParseSchema(in)
		if err != nil {
			if s != nil || !errors.Is(err, partywall.ErrProtocol) {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		out, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(in, out) {
			t.Fatalf("in  %x\nout %x", in, out)
		}
		// What was accepted can be drawn on a map of the value, each byte
		// in one field at most.
		if s.Size <= 1<<16 {
			taken := make([]bool, s.Size)
			for _, f := range s.Fields {
				for i := f.Offset; i < f.Offset+f.Size*f.Count; i++ {
					if taken[i] {
						t.Fatalf("byte %d lies in two fields", i)
					}
					taken[i] = true
				}
			}
		}
		if err := fixed.Match(s, s); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzMatch(f *testing.F) {
	point := encoded(f, schemaOf[point](f))
	v1 := encoded(f, schemaOf[v1](f))
	frame := encoded(f, schemaOf[frame](f))
	f.Add(point, point)
	f.Add(point, v1)
	f.Add(frame, v1)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		mine, err := fixed.ParseSchema(a)
		if err != nil {
			return
		}
		theirs, err := fixed.ParseSchema(b)
		if err != nil {
			return
		}
		there, back := fixed.Match(mine, theirs), fixed.Match(theirs, mine)
		if (there == nil) != (back == nil) {
			t.Fatalf("%v one way, %v the other", there, back)
		}
		if (there == nil) != (mine.Hash() == theirs.Hash()) {
			t.Fatalf("%v, but hashes %#x and %#x", there, mine.Hash(), theirs.Hash())
		}
		if there == nil {
			return
		}
		if !errors.Is(there, partywall.ErrLayout) {
			t.Fatal(there)
		}
		if there.Error() == partywall.ErrLayout.Error()+": " {
			t.Fatal("the error does not say what differs")
		}
	})
}

func FuzzReceive(f *testing.F) {
	typ := typeOf[padded](f)
	f.Add(make([]byte, typ.Size()))
	f.Add(bytes.Repeat([]byte{0xff}, typ.Size()))
	f.Fuzz(func(t *testing.T, in []byte) {
		shared := make([]byte, typ.Size())
		copy(shared, in)
		var p padded
		typ.Receive(fixed.Bytes(&p), shared)
		checkReceived(t, typ, fixed.Bytes(&p), shared)

		again := bytes.Repeat([]byte{0xaa}, typ.Size())
		typ.Publish(again, fixed.Bytes(&p))
		var q padded
		typ.Receive(fixed.Bytes(&q), again)
		if p != q {
			t.Fatalf("%+v went out, %+v came back", p, q)
		}
	})
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// checkReceived compares private bytes with the shared ones they came from.
func checkReceived(t failer, typ *fixed.Type, private, shared []byte) {
	t.Helper()
	for _, f := range typ.Schema().Fields {
		for i := f.Offset; i < f.Offset+f.Size*f.Count; i++ {
			want := shared[i]
			if f.Kind == fixed.Bool && want != 0 {
				want = 1
			}
			if private[i] != want {
				t.Fatalf("%s: byte %d is %#x, want %#x", f.Path, i, private[i], want)
			}
		}
	}
}
