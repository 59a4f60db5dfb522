package call

import (
	"context"
	"fmt"
	"reflect"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/region"
)

// An InPlace is a [Method] whose client and handler work on the argument, the
// result and the body where they lie, in memory that both processes have mapped:
// nothing is copied. Make one with [NewInPlace] as a package variable that client
// and server share. It is immutable and may be used concurrently.
//
// The client fills a [Lease] and calls as often as it likes; the handler gets a
// [Loan]. There is one body, which both may read and write.
type InPlace[A, R any] struct{ core }

// NewInPlace returns the method of that name. Argument and result must have a fixed
// layout of at most 65,536 bytes each, in which every byte belongs to a field, and
// which has no bools: a bool that a peer can write is not one, and padding would carry
// this process's memory to the other. It panics if they have not, and where
// [NewMethod] does.
func NewInPlace[A, R any](name string) *InPlace[A, R] {
	c, err := newCore[A, R](name, inPlaceFormOf)
	if err != nil {
		panic("call.NewInPlace " + err.Error())
	}
	c.inPlace = true
	return &InPlace[A, R]{c}
}

func inPlaceFormOf(t reflect.Type) (form, error) {
	f, err := fixedFormOf(t)
	if err != nil {
		return f, err
	}
	end, before := uint32(0), "its beginning"
	for _, field := range f.fixed.Schema().Fields {
		if field.Offset != end {
			return f, padding(f.fixed, before, field.Offset-end)
		}
		if field.Kind == fixed.Bool {
			return f, fmt.Errorf("%v has a bool, %s, which cannot be used in place: use uint8", f.fixed, field.Path)
		}
		end, before = field.Offset+field.Size*field.Count, field.Path
	}
	if n := uint32(f.size); end != n {
		return f, padding(f.fixed, before, n-end)
	}
	return f, nil
}

func padding(t *fixed.Type, before string, n uint32) error {
	return fmt.Errorf("%v has %d bytes of padding behind %s, and cannot be used in place: put a field such as Reserved [%d]byte there", t, n, before, n)
}

// view returns the T at the beginning of mem.
func view[T any](mem []byte, f *form) *T {
	if f.size == 0 {
		return new(T)
	}
	return region.At[T](mem, 0)
}

// A Loan is what the handler of an [InPlace] is lent. It is valid until the handler
// returns.
//
// Arg and Body are the client's memory: a malicious client can change them while
// they are read, and between two looks. Copy a number before it is checked and
// used.
type Loan[A, R any] struct {
	Arg    *A
	Result *R     // begins as zero
	Body   []byte // empty if the client has lent none

	peer Peer
}

// Peer returns who calls, by the kernel's word.
func (l *Loan[A, R]) Peer() Peer { return l.peer }

// Handle makes h the handler of the method in srv, as [Method.Handle] does. If h
// returns an error, what it has written to the body is there all the same.
func (m *InPlace[A, R]) Handle(srv *Server, h func(ctx context.Context, l *Loan[A, R]) error) {
	srv.handle(&m.core, func(ctx context.Context, t *task) error {
		clear(t.result[:m.result.size])
		l := Loan[A, R]{view[A](t.arg, &m.arg), view[R](t.result, &m.result), t.body, t.session.peer}
		t.resultLen = m.result.size
		return h(ctx, &l)
	})
}
