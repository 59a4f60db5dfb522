package call_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// Methods whose values have no fixed layout.

type (
	// picky is a text that must be even.
	picky string

	docArg struct {
		Text string           `json:"text,omitempty"`
		Tags map[string][]int `json:"tags,omitempty"`
		Raw  []byte           `json:"raw"`
		Next *docArg          `json:"next,omitempty"`
		Out  int              `json:"out"`  // bytes of the result's Raw
		Body int              `json:"body"` // bytes of the result's body; -1: none is asked for
		Fail bool             `json:"fail,omitempty"`
		Any  any              `json:"any,omitempty"`
		Word picky            `json:"word,omitempty"`
	}

	docResult struct {
		Echo *docArg
		Raw  []byte
		Sum  uint32 // of the request's body
		Runs int64
	}
)

func (p picky) MarshalText() ([]byte, error) { return []byte(p), nil }

func (p *picky) UnmarshalText(b []byte) error {
	if len(b)%2 == 1 {
		return fmt.Errorf("%q is odd", b)
	}
	*p = picky(b)
	return nil
}

var (
	docM   = call.NewMethod[docArg, docResult]("doc")
	bytesM = call.NewMethod[[]byte, []byte]("bytes")
	mixedM = call.NewMethod[[2]int64, string]("mixed")
	textM  = call.NewMethod[string, number]("text")
	loopM  = call.NewMethod[number, any]("loop")

	// Fixed layouts that are too large for a slot, and one that may grow besides.
	largeM = call.NewMethod[largeValue, largeValue]("large")
	growsM = call.NewMethod[growing, growing]("grows")
)

type (
	largeValue struct {
		Raw    [65537]byte
		Wide   [20_000]uint64
		Points [900]struct {
			X, Y float64
			On   bool
			_    [3]byte
		}
	}
	growing struct {
		Raw  [70_000]byte
		More uint32 `json:"more,omitempty"`
	}
)

func (s *stage) installForms(srv *call.Server) {
	docM.Handle(srv, s.doc)
	bytesM.Handle(srv, func(_ context.Context, in *call.In[[]byte], out *call.Out[[]byte]) error {
		for i := range in.Arg {
			in.Arg[i]++ // the copy is the handler's own
		}
		out.Result = in.Arg
		return nil
	})
	mixedM.Handle(srv, func(_ context.Context, in *call.In[[2]int64], out *call.Out[string]) error {
		out.Result = strings.Repeat(fmt.Sprint(in.Arg[0]), int(in.Arg[1]))
		return nil
	})
	textM.Handle(srv, func(_ context.Context, in *call.In[string], out *call.Out[number]) error {
		out.Result.N = int64(len(in.Arg))
		return nil
	})
	loopM.Handle(srv, func(_ context.Context, in *call.In[number], out *call.Out[any]) error {
		if in.Arg.N != 0 {
			loop := map[string]any{}
			loop["self"] = loop
			out.Result = loop
		}
		return nil
	})
	echo(srv, largeM)
	echo(srv, growsM)
	s.installPlaces(srv)
}

func (s *stage) doc(_ context.Context, in *call.In[docArg], out *call.Out[docResult]) error {
	s.mu.Lock()
	s.runs++
	out.Result.Runs = s.runs
	s.mu.Unlock()
	out.Result.Sum = sumOf(in.Body())
	out.Result.Raw = pattern(in.Arg.Out, 7)
	out.Result.Echo = &in.Arg
	if in.Arg.Body >= 0 {
		body, err := out.Body(in.Arg.Body)
		if err != nil {
			return err
		}
		fill(body, 1)
	}
	if in.Arg.Fail {
		return errors.New("no document today")
	}
	return nil
}

// doc makes a call and checks all that comes back.
func doc(t testing.TB, c *call.Conn, arg docArg, body, capacity int) docResult {
	t.Helper()
	ctx, cancel := within(proctest.Watchdog)
	defer cancel()
	sent := pattern(body, byte(body))
	r, got, err := docM.CallBody(ctx, c, arg, sent, make([]byte, 0, capacity))
	if err != nil {
		t.Fatalf("%d raw and %d bytes in, %d raw and %d bytes out: %v", len(arg.Raw), body, arg.Out, arg.Body, err)
	}
	if r.Echo == nil || !bytes.Equal(arg.Raw, r.Echo.Raw) {
		t.Fatalf("%d raw and %d bytes in: other raw ones have come", len(arg.Raw), body)
	}
	echo := *r.Echo
	if arg.Raw != nil {
		arg.Raw, echo.Raw = []byte{}, []byte{} // compared, and long
	}
	if d := cmp.Diff(arg, echo); d != "" {
		t.Fatal(d)
	}
	if r.Sum != sumOf(sent) || sumOf(r.Raw) != sumOf(pattern(arg.Out, 7)) || sumOf(got) != sumOf(pattern(max(arg.Body, 0), 1)) {
		t.Fatalf("%d raw and %d bytes in, %d raw and %d bytes out: others have come", len(arg.Raw), body, arg.Out, arg.Body)
	}
	return r
}

// docSizes lie around the room of a slot, less what else is in the document, and
// around the sizes of regions.
var docSizes = []int{0, 1, 100, 300, 380, 390, 400, 420, 447, 448, 449, 512, 4096, 64 << 10, 64<<10 + 1, 1 << 20}

func TestDocuments(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial()
		runs := int64(0)
		for _, in := range docSizes {
			for _, out := range []int{0, 350, 420, 64 << 10} {
				for _, body := range []int{-1, 0, 1, 65, 70_000} {
					r := doc(t, c, docArg{Raw: pattern(in, 3), Out: out, Body: body}, max(body, 0), max(body, 0)/2)
					if runs++; r.Runs != runs {
						t.Fatalf("the handler has run %d times, want %d", r.Runs, runs)
					}
				}
			}
		}
		for _, out := range docSizes {
			fresh := f.dial() // which has not learned the usual size
			for range 2 {
				arg := docArg{Raw: []byte("x"), Out: out, Body: -1}
				r, err := docM.Call(context.Background(), fresh, arg)
				if err != nil || sumOf(r.Raw) != sumOf(pattern(out, 7)) {
					t.Fatalf("%d bytes out: %v", out, err)
				}
			}
			fresh.Close()
		}
	})
}

func TestDocumentValues(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial(call.Expect(docM, bytesM, mixedM, textM))
		doc(t, c, docArg{
			Text: "naïve 文字", Tags: map[string][]int{"a": {1, -2}, "b": nil, "c": {}}, Raw: []byte{},
			Next: &docArg{Text: "deeper", Next: &docArg{Word: "even"}}, Body: -1,
			Any: map[string]any{"list": []any{int64(1), "two", nil, true, 2.5}},
		}, 0, 0)
		for _, n := range []int{0, 1, 447, 448, 449, 70_000, 1 << 20} {
			sent := pattern(n, 1)
			got, err := bytesM.Call(context.Background(), c, sent)
			if err != nil || sumOf(sent) != sumOf(pattern(n, 1)) || len(got) != n {
				t.Fatalf("%d bytes: %d, %v", n, len(got), err)
			}
			for i := range got {
				if got[i] != sent[i]+1 {
					t.Fatalf("byte %d of %d is %d, want %d", i, n, got[i], sent[i]+1)
				}
			}
			text, err := mixedM.Call(context.Background(), c, [2]int64{1, int64(n)})
			if err != nil || text != strings.Repeat("1", n) {
				t.Fatalf("a text of %d bytes, want %d; %v", len(text), n, err)
			}
			length, err := textM.Call(context.Background(), c, text)
			if err != nil || length.N != int64(n) {
				t.Fatalf("%d, %v, want %d", length.N, err, n)
			}
		}
	})
}

// What has too many bytes for a slot is a document, whatever its layout.
func TestLargeValues(t *testing.T) {
	eachWay(t, config{}, func(t *testing.T, f *fixture) {
		c := f.dial(call.Expect(largeM, growsM))
		v := new(largeValue)
		copy(v.Raw[:], pattern(len(v.Raw), 1))
		for i := range v.Wide {
			v.Wide[i] = uint64(i) << (i % 64)
		}
		v.Points[899].Y, v.Points[899].On = -1.5, true
		got, err := largeM.Call(context.Background(), c, *v)
		if err != nil || got != *v {
			t.Fatalf("another value has come, or none: %v", err)
		}
		grown := growing{More: 7}
		grown.Raw[69_999] = 1
		if got, err := growsM.Call(context.Background(), c, grown); err != nil || got != grown {
			t.Fatalf("another value has come, or none: %v", err)
		}
		d, err := c.Describe(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range d.Methods {
			if (m.Name == "large" || m.Name == "grows") && (m.Arg.Form != "document" || m.Result.Form != "document") {
				t.Errorf("%s takes %s and returns %s", m.Name, m.Arg.Form, m.Result.Form)
			}
		}
	})
}

func TestDocumentErrors(t *testing.T) {
	eachWay(t, config{Quota: 1 << 20}, func(t *testing.T, f *fixture) {
		c, ctx := f.dial(), context.Background()
		call1 := func(arg docArg) error {
			_, err := docM.Call(ctx, c, arg)
			return err
		}
		remote := (*call.RemoteError)(nil)
		if err := call1(docArg{Fail: true, Body: -1}); !errors.As(err, &remote) || remote.Message != "no document today" {
			t.Error(err)
		}
		err := call1(docArg{Word: "odd", Body: -1})
		wantErr(t, err, partywall.ErrLayout)
		wantText(t, err, "argument", "odd", "doc", f.name)

		_, err = loopM.Call(ctx, c, number{1})
		wantText(t, err, "result", "loop")

		// What is too large for the quota, on either way.
		err = call1(docArg{Raw: make([]byte, 1<<20), Body: -1})
		wantErr(t, err, partywall.ErrTooLarge)
		wantText(t, err, "quota")
		err = call1(docArg{Out: 1 << 20, Body: -1})
		wantErr(t, err, partywall.ErrTooLarge)
		wantText(t, err, "quota")
		_, err = textM.Call(ctx, c, strings.Repeat("x", 64<<20))
		wantErr(t, err, partywall.ErrTooLarge)
		wantText(t, err, "argument")

		if _, err := docM.Call(ctx, c, docArg{Any: func() {}, Body: -1}); err == nil {
			t.Error("a function has been sent")
		}
		loop := &docArg{}
		loop.Next = loop
		if _, err := docM.Call(ctx, c, *loop); err == nil {
			t.Error("a loop has been sent")
		}
		doc(t, c, docArg{Body: 10}, 10, 0)
		eventually(t, "all slots are free", func() bool { return call.FreeSlots(c) == 1024 })
	})
}
