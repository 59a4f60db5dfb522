package call_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/partywall/partywall/call"
)

// benchConn serves in another process, as it is meant to be.
func benchConn(b *testing.B) *call.Conn {
	c := startProcess(b, config{}).dial(call.Expect(echo64, addM, blobM))
	b.ReportAllocs()
	return c
}

// BenchmarkCall: 64 bytes each way, one caller.
func BenchmarkCall(b *testing.B) {
	c := benchConn(b)
	var arg [64]byte
	for b.Loop() {
		if _, err := echo64.Call(context.Background(), c, arg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallWithDeadline(b *testing.B) {
	c := benchConn(b)
	ctx, cancel := within(time.Hour)
	defer cancel()
	var arg [64]byte
	for b.Loop() {
		if _, err := echo64.Call(ctx, c, arg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallParallel(b *testing.B) {
	for _, callers := range []int{2, 8, 64, 1000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) { callParallel(b, benchConn(b), callers) })
	}
}

// BenchmarkCallBesideALongOne has another caller parked meanwhile.
func BenchmarkCallBesideALongOne(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			c := benchConn(b)
			ctx, cancel := context.WithCancel(context.Background())
			held := make(chan error)
			go func() {
				_, err := holdM.Call(ctx, c, holdArg{Key: 1})
				held <- err
			}()
			callParallel(b, c, callers)
			cancel()
			if err := <-held; !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
		})
	}
}

// callParallel has so many callers make b.N calls.
func callParallel(b *testing.B, c *call.Conn, callers int) {
	left := make(chan int64, callers)
	for i := range callers {
		left <- int64((b.N + i) / callers)
	}
	done := make(chan error)
	b.ResetTimer()
	for range callers {
		go func() {
			var arg [64]byte
			for range <-left {
				if _, err := echo64.Call(context.Background(), c, arg); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

func BenchmarkBody(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10, 1 << 20} {
		for _, way := range []struct {
			what    string
			in, out int
		}{{"in", size, 0}, {"out", 0, size}} {
			b.Run(fmt.Sprintf("%s/%d", way.what, size), func(b *testing.B) {
				c := benchConn(b)
				body, into := pattern(way.in, 1), make([]byte, 0, way.out)
				b.SetBytes(int64(size))
				for b.Loop() {
					if _, _, err := blobM.CallBody(context.Background(), c, blobArg{Out: int64(way.out)}, body, into); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDial(b *testing.B) {
	f := startProcess(b, config{})
	b.ReportAllocs()
	for b.Loop() {
		c, err := call.Dial(context.Background(), f.name)
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
