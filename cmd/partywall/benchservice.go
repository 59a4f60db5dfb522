package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/wait"
)

// An exchange is one measured call. make returns a caller for one goroutine,
// which times its n-th call alone and then verifies the answer.
type exchange interface {
	handle(*call.Server)
	make() func(ctx context.Context, conn *call.Conn, n uint64) (time.Duration, error)
}

// mask is what the server does to each word, so that an answer shows that the
// server has read the argument and written the result.
const mask = 0x5bd1e9955bd1e995

var errWrong = errors.New("the server's answer is wrong")

// fixedExchanges are the sizes that have a fixed-layout struct.
var fixedExchanges = map[int]exchange{
	8: fixedExchange[[1]uint64](), 16: fixedExchange[[2]uint64](), 32: fixedExchange[[4]uint64](),
	64: fixedExchange[[8]uint64](), 128: fixedExchange[[16]uint64](), 256: fixedExchange[[32]uint64](),
	512: fixedExchange[[64]uint64](), 1024: fixedExchange[[128]uint64](),
}

// words is an array that can be indexed.
type words interface {
	comparable
	[1]uint64 | [2]uint64 | [4]uint64 | [8]uint64 | [16]uint64 | [32]uint64 | [64]uint64 | [128]uint64
}

type fixedCall[T words] struct{ method *call.Method[T, T] }

func fixedExchange[T words]() exchange {
	var t T
	return &fixedCall[T]{call.NewMethod[T, T](fmt.Sprintf("words/%d", len(t)))}
}

func (f *fixedCall[T]) handle(srv *call.Server) {
	f.method.Handle(srv, func(_ context.Context, in *call.In[T], out *call.Out[T]) error {
		for i := range len(in.Arg) {
			out.Result[i] = in.Arg[i] ^ mask
		}
		return nil
	})
}

func (f *fixedCall[T]) make() func(context.Context, *call.Conn, uint64) (time.Duration, error) {
	return func(ctx context.Context, conn *call.Conn, n uint64) (time.Duration, error) {
		var arg, want T
		for i := range len(arg) {
			arg[i] = n + uint64(i)
			want[i] = arg[i] ^ mask
		}
		start := wait.Now()
		got, err := f.method.Call(ctx, conn, arg)
		took := wait.Now() - start
		if err == nil && got != want {
			err = errWrong
		}
		return took, err
	}
}

// bodyCall carries its bytes as bodies.
type bodyCall struct{ size int }

func newBodyExchange(size int) exchange { return &bodyCall{size} }

type number struct{ N uint64 }

var bodyMethod = call.NewMethod[number, number]("body")

func (b *bodyCall) handle(srv *call.Server) {
	bodyMethod.Handle(srv, func(_ context.Context, in *call.In[number], out *call.Out[number]) error {
		body, err := out.Body(len(in.Body()))
		if err != nil {
			return err
		}
		copy(body, in.Body())
		out.Result.N = in.Arg.N ^ mask
		return nil
	})
}

func (b *bodyCall) make() func(context.Context, *call.Conn, uint64) (time.Duration, error) {
	body := make([]byte, b.size)
	for i := range body {
		body[i] = byte(i * 7)
	}
	into := make([]byte, 0, b.size)
	return func(ctx context.Context, conn *call.Conn, n uint64) (time.Duration, error) {
		if len(body) >= 16 { // both ends change, so that no answer is an older one's
			binary.LittleEndian.PutUint64(body, n)
			binary.LittleEndian.PutUint64(body[len(body)-8:], ^n)
		}
		start := wait.Now()
		got, back, err := bodyMethod.CallBody(ctx, conn, number{n}, body, into[:0])
		took := wait.Now() - start
		if err == nil && (got.N != n^mask || !bytes.Equal(back, body)) {
			err = errWrong
		}
		return took, err
	}
}

// usage is what a process has used so far.
type usage struct {
	CPU     int64 // nanoseconds of processor time
	Ticks   int64 // the same, in the kernel's ticks
	Mallocs uint64
	Threads int64
}

var usageMethod = call.NewMethod[struct{}, usage]("usage")

func handleBench(srv *call.Server) {
	for _, e := range fixedExchanges {
		e.handle(srv)
	}
	newBodyExchange(0).handle(srv)
	usageMethod.Handle(srv, func(_ context.Context, _ *call.In[struct{}], out *call.Out[usage]) (err error) {
		out.Result, err = usageOf(os.Getpid())
		return err
	})
}

// usages is what client and server have used up to a moment.
type usages struct {
	client, server usage
	at             time.Time
}

func usageOfBoth(ctx context.Context, conn *call.Conn) (u usages, err error) {
	if u.server, err = usageMethod.Call(ctx, conn, struct{}{}); err != nil {
		return u, err
	}
	u.client, err = usageOf(os.Getpid())
	u.at = time.Now()
	return u, err
}
