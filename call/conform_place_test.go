package call_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// Methods that work in place.

type (
	placeArg struct {
		Add  uint32 // to each byte of the body
		Hold uint32 // wait, deaf, under this key
		Fail uint32
	}
	placeResult struct {
		Sum  uint32 // of the body as it came
		Len  uint32
		Zero uint32 // 1 if the result was zero at first
	}
)

var (
	placeM = call.NewInPlace[placeArg, placeResult]("place")
	emptyM = call.NewInPlace[struct{}, struct{}]("place.empty")
	roomM  = call.NewInPlace[[448]byte, [448]byte]("place.room")
)

func (s *stage) installPlaces(srv *call.Server) {
	placeM.Handle(srv, func(ctx context.Context, l *call.Loan[placeArg, placeResult]) error {
		if *l.Result == (placeResult{}) {
			l.Result.Zero = 1
		}
		l.Result.Sum, l.Result.Len = sumOf(l.Body), uint32(len(l.Body))
		if l.Arg.Hold != 0 {
			s.hold(ctx, holdArg{Key: l.Arg.Hold, Deaf: true})
		}
		for i := range l.Body {
			l.Body[i] += byte(l.Arg.Add)
		}
		if l.Arg.Fail != 0 {
			return errors.New("out of place")
		}
		return nil
	})
	emptyM.Handle(srv, func(context.Context, *call.Loan[struct{}, struct{}]) error { return nil })
	roomM.Handle(srv, func(_ context.Context, l *call.Loan[[448]byte, [448]byte]) error {
		*l.Result = *l.Arg
		return nil
	})
}

func TestLease(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c, ctx := f.dial(call.Expect(placeM, emptyM)), context.Background()
		for _, size := range []int{0, 1, 100, 64 << 10, 64<<10 + 1, 1 << 20, 5 << 20} {
			err := placeM.Lease(ctx, c, size, func(l *call.Lease[placeArg, placeResult]) error {
				if len(l.Body) != size || *l.Arg != (placeArg{}) {
					t.Errorf("a body of %d bytes, argument %+v", len(l.Body), *l.Arg)
				}
				fill(l.Body, 5)
				for i := range 3 {
					l.Arg.Add = uint32(i)
					sent := sumOf(l.Body)
					if err := l.Do(ctx); err != nil {
						return err
					}
					if l.Result.Sum != sent || int(l.Result.Len) != size || l.Result.Zero != 1 {
						t.Errorf("size %d, call %d: %+v, want sum %x", size, i, *l.Result, sent)
					}
				}
				if want := pattern(size, 5); size > 0 && (l.Body[0] != want[0]+3 || l.Body[size-1] != want[size-1]+3) {
					t.Errorf("the body has %d, want %d", l.Body[0], want[0]+3)
				}
				l.Arg.Fail, l.Arg.Add = 1, 1
				remote := (*call.RemoteError)(nil)
				if err := l.Do(ctx); !errors.As(err, &remote) || remote.Message != "out of place" {
					t.Error(err)
				}
				l.Arg.Fail = 0
				if l.Body = l.Body[:size/2]; size > 1 {
					if err := l.Do(ctx); err != nil || int(l.Result.Len) != size/2 {
						t.Errorf("half the body: %+v, %v", *l.Result, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
		}
		if err := emptyM.Lease(ctx, c, 0, func(l *call.Lease[struct{}, struct{}]) error { return l.Do(ctx) }); err != nil {
			t.Error(err)
		}
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
		if regions, _ := call.Warm(c); regions == 0 {
			t.Error("no region is warm")
		}
	})
}

// A caller that gives up keeps its memory until its function returns, and may call again.
func TestLeaseGivesUp(t *testing.T) {
	for _, again := range []bool{false, true} {
		eachWay(t, config{}, func(t *testing.T, f *fixture) {
			c := f.dial()
			err := placeM.Lease(context.Background(), c, 4096, func(l *call.Lease[placeArg, placeResult]) error {
				clear(l.Body)
				l.Arg.Hold, l.Arg.Add = 1, 1
				ctx, cancel := context.WithCancel(context.Background())
				go func() {
					f.seen(c, 1, 1, 0)
					cancel()
				}()
				wantErr(t, l.Do(ctx), context.Canceled)
				if call.FreeSlots(c) != 1023 {
					t.Error("the slot is free")
				}
				if regions, _ := call.Warm(c); regions != 0 {
					t.Error("the region is free")
				}
				soon, stop := within(10 * time.Millisecond)
				defer stop()
				wantErr(t, l.Do(soon), context.DeadlineExceeded) // the handler has the body still
				if !again {
					return nil
				}
				f.open(c, 1)
				l.Arg.Hold = 0
				if err := l.Do(context.Background()); err != nil || l.Result.Sum != sumOf(pattern1(4096)) {
					t.Errorf("the second call: %v, %+v", err, *l.Result)
				}
				if l.Body[0] != 2 || l.Body[4095] != 2 {
					t.Errorf("the body has %d and %d, want 2", l.Body[0], l.Body[4095])
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			f.open(c, 1)
			eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
			regions := 0
			eventually(t, "the region is warm", func() bool { regions, _ = call.Warm(c); return regions == 1 })
		})
	}
}

func pattern1(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 1
	}
	return b
}

// Whatever ends the conn, the memory stays until the lease's function returns.
func TestLeaseOutlivesConn(t *testing.T) {
	for _, how := range []string{"close", "server", "kill"} {
		eachWay(t, config{}, func(t *testing.T, f *fixture) {
			if how == "kill" && f.proc == nil {
				t.SkipNow() // it would kill this process
			}
			c := f.dial()
			var closed chan error
			err := placeM.Lease(context.Background(), c, 1<<20, func(l *call.Lease[placeArg, placeResult]) error {
				if err := l.Do(context.Background()); err != nil {
					return err
				}
				want := os.ErrClosed
				switch how {
				case "close":
					closed = make(chan error, 1)
					go func() { closed <- c.Close() }()
				case "server":
					f.order("close", "")
					want = partywall.ErrShutdown
				case "kill":
					f.dies = true
					f.proc.Kill()
					want = partywall.ErrPeerGone
				}
				<-c.Done()
				for range 10 {
					runtime.Gosched()
					fill(l.Body, 9) // would fault
					l.Arg.Add = 7
				}
				if err := l.Do(context.Background()); !errors.Is(err, want) && !errors.Is(err, partywall.ErrPeerGone) {
					t.Errorf("%v, want %v", err, want)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if closed != nil {
				if err := recv(t, closed); err != nil {
					t.Error(err)
				}
			}
			c.Close()
		})
	}
}

func TestLeaseMistakes(t *testing.T) {
	eachWay(t, config{Quota: 1 << 20}, func(t *testing.T, f *fixture) {
		c, ctx := f.dial(), context.Background()
		var kept *call.Lease[placeArg, placeResult]
		nothing := func(l *call.Lease[placeArg, placeResult]) error { kept = l; return nil }
		wantErr(t, placeM.Lease(ctx, c, 2<<20, nothing), partywall.ErrTooLarge)
		wantErr(t, placeM.Lease(ctx, c, call.MaxBody+1, nothing), partywall.ErrTooLarge)
		if kept != nil {
			t.Error("the function has run")
		}
		if err := placeM.Lease(ctx, c, 10, nothing); err != nil {
			t.Fatal(err)
		}
		wantErr(t, kept.Do(ctx), os.ErrClosed)
		if text := panicOf(func() {
			placeM.Lease(ctx, c, 10, func(l *call.Lease[placeArg, placeResult]) error {
				l.Body = l.Body[1:]
				return l.Do(ctx)
			})
		}); text == "nothing" {
			t.Error("a body that was moved is lent")
		}
		if text := panicOf(func() {
			placeM.Lease(ctx, c, 0, func(l *call.Lease[placeArg, placeResult]) error {
				l.Body = make([]byte, 10)
				return l.Do(ctx)
			})
		}); !strings.Contains(text, "Body of a Lease of place") {
			t.Errorf("a body where none was lent: panics with %q", text)
		}
		done, cancel := context.WithCancel(ctx)
		cancel()
		if err := placeM.Lease(ctx, c, 10, func(l *call.Lease[placeArg, placeResult]) error {
			wantErr(t, l.Do(done), context.Canceled)
			return l.Do(ctx)
		}); err != nil {
			t.Error(err)
		}
		wantErr(t, placeM.Lease(done, c, 10, nothing), context.Canceled)

		wrong := call.NewMethod[placeArg, placeResult]("place")
		_, err := wrong.Call(ctx, c, placeArg{})
		wantErr(t, err, partywall.ErrLayout)
		wantText(t, err, "in place")
		back := call.NewInPlace[[2]int64, number]("add")
		wantErr(t, back.Lease(ctx, c, 0, func(*call.Lease[[2]int64, number]) error { return nil }), partywall.ErrLayout)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}

func TestNewInPlacePanics(t *testing.T) {
	for _, test := range []struct {
		what string
		make func()
		want []string
	}{
		{"text", func() { call.NewInPlace[string, int8]("m") }, []string{"argument", "string"}},
		{"bool", func() { call.NewInPlace[int8, struct{ OK bool }]("m") }, []string{"result", "OK", "uint8"}},
		{"padding", func() {
			call.NewInPlace[struct {
				A uint8
				B uint32
			}, int8]("m")
		}, []string{"argument", "3 bytes of padding", "A", "[3]byte"}},
		{"tail", func() {
			call.NewInPlace[struct {
				A uint64
				B uint32
			}, int8]("m")
		}, []string{"4 bytes of padding", "B"}},
		{"blank", func() {
			call.NewInPlace[struct {
				A uint32
				_ uint32
			}, int8]("m")
		}, []string{"padding"}},
		{"large", func() { call.NewInPlace[int8, [65537]byte]("m") }, []string{"result", "65537", "body"}},
		{"name", func() { call.NewInPlace[int8, int8]("") }, []string{"empty"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			text := panicOf(test.make)
			for _, w := range append(test.want, "call.NewInPlace") {
				if !strings.Contains(text, w) {
					t.Errorf("panics with %q, want %q in it", text, w)
				}
			}
		})
	}
}

// Leases and calls share slots and regions.
func TestManyLeases(t *testing.T) {
	eachWay(t, config{Quota: 16 << 20}, func(t *testing.T, f *fixture) {
		c := f.dial()
		ctx, cancel := within(proctest.Watchdog)
		defer cancel()
		ended := make(chan error)
		const callers = 40
		for g := range callers {
			go func() {
				for i := range 5 {
					size := sizes[(7*g+3*i)%len(sizes)]
					if g%4 == 0 {
						blob(t, c, size, size/2, 0)
						continue
					}
					err := placeM.Lease(ctx, c, size, func(l *call.Lease[placeArg, placeResult]) error {
						fill(l.Body, byte(g))
						for range 3 {
							sent := sumOf(l.Body)
							l.Arg.Add = 1
							if err := l.Do(ctx); err != nil {
								return err
							}
							if l.Result.Sum != sent {
								return errors.New("another body has come")
							}
						}
						return nil
					})
					if err != nil {
						ended <- err
						return
					}
				}
				ended <- nil
			}()
		}
		for range callers {
			if err := recv(t, ended); err != nil {
				t.Error(err)
			}
		}
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}
