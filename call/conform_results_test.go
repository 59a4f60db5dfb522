package call_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

type (
	padded struct {
		A bool
		B uint64
		C uint8
		D float32
		E [3]uint16
		F bool
	}

	nested struct {
		Points [4]struct {
			X, Y int32
			On   bool
		}
		Name [13]byte
		Last padded
	}

	emptyTail struct {
		N int8
		_ struct{}
		M [0]int64
	}
)

var (
	echoBool    = call.NewMethod[bool, bool]("echo.bool")
	echoInt8    = call.NewMethod[int8, int8]("echo.int8")
	echoFloat   = call.NewMethod[float64, float64]("echo.float64")
	echoComplex = call.NewMethod[complex128, complex128]("echo.complex128")
	echoNothing = call.NewMethod[struct{}, struct{}]("echo.nothing")
	echoNone    = call.NewMethod[[0]int64, [0]int64]("echo.none")
	echoPadded  = call.NewMethod[padded, padded]("echo.padded")
	echoNested  = call.NewMethod[nested, nested]("echo.nested")
	echoTail    = call.NewMethod[emptyTail, emptyTail]("echo.tail")
	echoBools   = call.NewMethod[[9]bool, [9]bool]("echo.bools")
	echo64      = call.NewMethod[[64]byte, [64]byte]("echo.64")
	echo448     = call.NewMethod[[448]byte, [448]byte]("echo.448")
	echo449     = call.NewMethod[[449]byte, [449]byte]("echo.449")
	echoLargest = call.NewMethod[[65536]byte, [65536]byte]("echo.largest")
	latchM      = call.NewMethod[bool, [64]byte]("latch")
	widen       = call.NewMethod[uint8, [65536]byte]("widen")
)

func echo[T any](srv *call.Server, m *call.Method[T, T]) {
	m.Handle(srv, func(_ context.Context, in *call.In[T], out *call.Out[T]) error {
		out.Result = in.Arg
		return nil
	})
}

func installEchoes(srv *call.Server) {
	echo(srv, echoBool)
	echo(srv, echoInt8)
	echo(srv, echoFloat)
	echo(srv, echoComplex)
	echo(srv, echoNothing)
	echo(srv, echoNone)
	echo(srv, echoPadded)
	echo(srv, echoNested)
	echo(srv, echoTail)
	echo(srv, echoBools)
	echo(srv, echo64)
	echo(srv, echo448)
	echo(srv, echo449)
	echo(srv, echoLargest)
	latchM.Handle(srv, func(_ context.Context, in *call.In[bool], out *call.Out[[64]byte]) error {
		if in.Arg { // else Result is as it came
			fill(out.Result[:], 1)
		}
		return nil
	})
	widen.Handle(srv, func(_ context.Context, in *call.In[uint8], out *call.Out[[65536]byte]) error {
		for i := range out.Result {
			out.Result[i] = in.Arg
		}
		return nil
	})
}

func checkEcho[T comparable](t *testing.T, c *call.Conn, m *call.Method[T, T], values ...T) {
	t.Helper()
	for range 20 { // more than a handler's first runs, which are timed
		for _, v := range values {
			got, err := m.Call(context.Background(), c, v)
			if err != nil {
				t.Fatal(err)
			}
			if got != v { // cheaper than a Diff of 64 KiB
				t.Fatalf("%s: sent, got:\n%s", m.Name(), cmp.Diff(v, got))
			}
		}
	}
}

func TestValuesArriveAsTheyWere(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		checkEcho(t, c, echoBool, true, false)
		checkEcho(t, c, echoInt8, -128, 0, 127)
		checkEcho(t, c, echoFloat, math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.MaxFloat64)
		checkEcho(t, c, echoComplex, complex(1, -1))
		checkEcho(t, c, echoNothing, struct{}{})
		checkEcho(t, c, echoNone, [0]int64{})
		checkEcho(t, c, echoPadded, padded{}, padded{true, math.MaxUint64, 255, -1.5, [3]uint16{1, 2, 65535}, true})
		var n nested
		n.Points[1].X, n.Points[3].On, n.Last.F = -7, true, true
		copy(n.Name[:], "party wall")
		checkEcho(t, c, echoNested, nested{}, n)
		checkEcho(t, c, echoBools, [9]bool{true, false, true, true, 8: true})
		checkEcho(t, c, echo64, [64]byte(pattern(64, 1)), [64]byte(pattern(64, 2)))
		checkEcho(t, c, echo448, [448]byte(pattern(448, 1)))
		checkEcho(t, c, echo449, [449]byte(pattern(449, 1)))
		checkEcho(t, c, echoLargest, [65536]byte(pattern(65536, 1)))
		if got, err := echoTail.Call(context.Background(), c, emptyTail{N: -3}); err != nil || got.N != -3 {
			t.Fatal(got, err)
		}
		if got, err := widen.Call(context.Background(), c, 9); err != nil || got[0] != 9 || got[65535] != 9 {
			t.Fatal(got[0], got[65535], err)
		}
	})
}

// A handler that sets nothing sends zeros, whatever was there before.
func TestResultsBeginAsZero(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		for i := range 100 {
			got, err := latchM.Call(context.Background(), c, i%2 == 0)
			if want := sumOf(pattern(64, 1)); err != nil || i%2 == 0 && sumOf(got[:]) != want || i%2 == 1 && got != ([64]byte{}) {
				t.Fatalf("call %d: %v, %v", i, got, err)
			}
		}
	})
}

var keptlessM = call.NewMethod[struct{}, [64]byte]("nobody.has.it")

// hammer has n goroutines make calls each through c.
func hammer(t *testing.T, c *call.Conn, n, calls int) {
	t.Helper()
	ctx, cancel := within(2 * proctest.Watchdog)
	defer cancel()
	var group sync.WaitGroup
	for g := range n {
		group.Go(func() {
			for i := range calls {
				a, b := int64(g)<<32, int64(i)
				r, err := addM.Call(ctx, c, [2]int64{a, b})
				if err != nil || r.N != a+b {
					t.Errorf("goroutine %d, call %d: %d, %v", g, i, r.N, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestManyGoroutinesShareAConn(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		calls := 8000
		if raceEnabled {
			calls = 2000
		}
		for _, n := range []int{1, 8, 64, 2000} {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				c := f.dial()
				hammer(t, c, n, calls/n)
				eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
			})
		}
	})
}

// Fewer slots than callers: those who wait get theirs in the end.
func TestManyGoroutinesShareFewSlots(t *testing.T) {
	f := startProcess(t, config{Slots: 64})
	hammer(t, f.dial(), 1000, 20)
}

func TestManyClients(t *testing.T) {
	eachWay(t, config{Slots: 64}, func(t *testing.T, f *fixture) {
		var group sync.WaitGroup
		for range 40 {
			c := f.dial()
			group.Go(func() { hammer(t, c, 3, 60) })
		}
		group.Wait()
	})
}

func TestPeersKnowEachOther(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		got, err := peerM.Call(context.Background(), c, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		serverPID := os.Getpid()
		if f.proc != nil {
			serverPID = f.proc.PID()
		}
		if p := c.Peer(); p.PID != serverPID || p.UID != os.Getuid() {
			t.Errorf("the client says that %+v serves", p)
		}
		want := peerResult{int64(os.Getpid()), int64(os.Getuid()), int64(serverPID), int64(os.Getuid())}
		if runtime.GOOS == "linux" && got != want {
			t.Errorf("the handler says %+v, want %+v", got, want)
		}
		if c.Service() != f.name {
			t.Errorf("the conn is to %q", c.Service())
		}
	})
}
