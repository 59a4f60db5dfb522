package call_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// A failure is something that a handler can do instead of answering.
type failure struct {
	what  string
	do    func() error
	panic bool
	want  string // the RemoteError's message
}

// broken is an error whose nil pointer cannot say what it is.
type broken struct{ text string }

func (b *broken) Error() string { return b.text }

var (
	errPlain = errors.New("the cupboard is bare")
	beyond   = 5
	noMap    map[int]int
)

// room is what a slot of this service has for an error: as much as for the largest
// result of its methods.
const room = 65536

// failures are shared by client and server; the argument of failM chooses.
var failures = []failure{
	{"plain", func() error { return errPlain }, false, "the cupboard is bare"},
	{"wrapped", func() error { return fmt.Errorf("look: %w", errPlain) }, false, "look: the cupboard is bare"},
	{"empty", func() error { return errors.New("") }, false, ""},
	{"fits just so", func() error { return errors.New(strings.Repeat("x", room)) }, false, strings.Repeat("x", room)},
	{"too long", func() error { return errors.New(strings.Repeat("x", room+1)) }, false, strings.Repeat("x", room-3) + "..."},
	{"cut at a character", func() error { return errors.New("x" + strings.Repeat("é", room)) }, false, "x" + strings.Repeat("é", (room-4)/2) + "..."},
	{"no UTF-8", func() error { return errors.New("a\xff\xfeb") }, false, "a?b"},
	{"no UTF-8, long", func() error { return errors.New(strings.Repeat("\x80", 2*room)) }, false, "..."},
	{"terminal control", func() error { return errors.New("a\x1b[31mb\nc\u009bd") }, false, "a [31mb c d"},
	{"context's error", func() error { return context.Canceled }, false, "context canceled"},
	{"a sentinel", func() error { return partywall.ErrPeerGone }, false, "partywall: peer gone"},
	{"nil pointer as error", func() error { return (*broken)(nil) }, true, "nil pointer dereference"},
	{"panic with text", func() error { panic("ouch") }, true, "ouch"},
	{"panic with error", func() error { panic(errPlain) }, true, "the cupboard is bare"},
	{"panic with number", func() error { panic(42) }, true, "42"},
	{"panic with struct", func() error { panic(struct{ A, B int }{1, 2}) }, true, "{1 2}"},
	{"panic with nil", func() error { panic(nil) }, true, "nil"},
	{"panic with broken error", func() error { panic((*broken)(nil)) }, true, "nil"},
	{"index", func() error { var s []int; return fmt.Errorf("%d", s[beyond]) }, true, "index out of range"},
	{"nil map", func() error { noMap[1] = 1; return nil }, true, "nil map"},
	{"Goexit", func() error { runtime.Goexit(); return nil }, true, "Goexit"},
}

func TestHandlersFail(t *testing.T) {
	eachWay(t, config{Slots: 64}, func(t *testing.T, f *fixture) {
		// Often enough that each slot has failed, in the worker and on goroutines of their own.
		c := f.dial()
		for i, want := range failures {
			t.Run(want.what, func(t *testing.T) {
				ctx, cancel := within(proctest.Watchdog)
				defer cancel()
				got, err := failM.Call(ctx, c, number{int64(i)})
				var remote *call.RemoteError
				if !errors.As(err, &remote) {
					t.Fatalf("%v (%T)", err, err)
				}
				if got != (number{}) {
					t.Errorf("a result beside the error: %v", got)
				}
				if remote.Service != f.name || remote.Method != "fail" || remote.Panic != want.panic {
					t.Errorf("%#v", remote)
				}
				if m := remote.Message; want.panic && !strings.Contains(m, want.want) || !want.panic && m != want.want {
					t.Errorf("message %q, want %q", m, want.want)
				}
				if !utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
					t.Errorf("not fit for a terminal: %q", err)
				}
				wantText(t, err, f.name, "fail", remote.Message)
				// What the handler returned is its own: no sentinel of this side.
				for _, sentinel := range known[1:] {
					if errors.Is(err, sentinel) {
						t.Errorf("wraps %v", sentinel)
					}
				}
			})
		}
		for range 20 {
			for i := range failures {
				ctx, cancel := within(proctest.Watchdog)
				_, err := failM.Call(ctx, c, number{int64(i)})
				if remote := (*call.RemoteError)(nil); !errors.As(err, &remote) {
					t.Fatal(err)
				}
				cancel()
			}
		}
		hammer(t, c, 8, 20) // the server lives on
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 64 })
		if got := f.order("shutdown", "10s"); got != "ok" {
			t.Errorf("a service whose handlers have failed cannot shut down: %s", got)
		}
	})
}

func TestUnknownMethod(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		for range 3 {
			_, err := keptlessM.Call(context.Background(), c, struct{}{})
			wantErr(t, err, partywall.ErrNotFound)
			wantText(t, err, f.name, "nobody.has.it")
		}
		ctx, cancel := within(proctest.Watchdog)
		defer cancel()
		_, err := call.Dial(ctx, f.name, call.Expect(addM, keptlessM))
		wantErr(t, err, partywall.ErrNotFound)
		wantText(t, err, f.name, "nobody.has.it")
		hammer(t, c, 1, 1)
	})
}

// Methods of the same names as the service's, of other types.
var (
	addNarrow = call.NewMethod[struct{ A, B int32 }, number]("add")
	addOther  = call.NewMethod[[2]int64, struct{ M int64 }]("add")
	addBoth   = call.NewMethod[[3]int64, float64]("add")
)

func TestLayoutsDiffer(t *testing.T) {
	tests := []struct {
		method call.AnyMethod
		do     func(*call.Conn) error
		words  []string
	}{
		{addNarrow, func(c *call.Conn) error {
			_, err := addNarrow.Call(context.Background(), c, struct{ A, B int32 }{})
			return err
		}, []string{"argument", "A"}},
		{addOther, func(c *call.Conn) error {
			_, err := addOther.Call(context.Background(), c, [2]int64{})
			return err
		}, []string{"result", "M"}},
		{addBoth, func(c *call.Conn) error {
			_, _, err := addBoth.CallBody(context.Background(), c, [3]int64{}, nil, nil)
			return err
		}, []string{"argument", "3", "2"}},
	}
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial(call.Expect(addM, holdM, blobM))
		for _, test := range tests {
			err := test.do(c)
			wantErr(t, err, partywall.ErrLayout)
			wantText(t, err, append(test.words, f.name, "add")...)

			ctx, cancel := within(proctest.Watchdog)
			_, err = call.Dial(ctx, f.name, call.Expect(test.method))
			cancel()
			wantErr(t, err, partywall.ErrLayout)
			wantText(t, err, append(test.words, f.name, "add")...)
		}
		hammer(t, c, 1, 1) // the right method is not disturbed
	})
}

func TestNewMethodPanics(t *testing.T) {
	tests := []struct {
		what string
		make func()
		want []string
	}{
		{"empty name", func() { call.NewMethod[int8, int8]("") }, []string{"empty"}},
		{"upper case", func() { call.NewMethod[int8, int8]("Add") }, []string{"Add", "byte 0"}},
		{"long name", func() { call.NewMethod[int8, int8](strings.Repeat("x", 101)) }, []string{"101"}},
		{"reserved name", func() { call.NewMethod[int8, int8]("partywall/describe") }, []string{"partywall/describe", "reserved"}},
		{"function", func() { call.NewMethod[func(), int8]("m") }, []string{`"m"`, "argument", "func"}},
		{"channel", func() { call.NewMethod[int8, struct{ Name chan int }]("m") }, []string{`"m"`, "result", "Name"}},
		{"interface", func() { call.NewMethod[fmt.Stringer, int8]("m") }, []string{"argument", "interface"}},
		{"too large for a document", func() { call.NewMethod[[65 << 20]byte, int8]("m") }, []string{"argument", "body", "64 MiB"}},
		{"large, and no document", func() { call.NewMethod[int8, [4097]complex128]("m") }, []string{"result", "65552", "body", "CBOR", "complex"}},
		{"large, with a field that would be lost", func() {
			call.NewMethod[[8193]struct {
				A uint32
				b uint32
			}, int8]("m")
		}, []string{"argument", "65544", "not exported"}},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			text := panicOf(test.make)
			for _, w := range append(test.want, "call.NewMethod") {
				if !strings.Contains(text, w) {
					t.Errorf("panics with %q, want %q in it", text, w)
				}
			}
		})
	}
}

// panicOf returns the text that f panics with.
func panicOf(f func()) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprint(v)
		}
	}()
	f()
	return "nothing"
}
