package call_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall/call"
)

// model is what a client knows a service to do, and a service that does it.
type model struct {
	f     *fixture
	other *call.Conn // that the test asks through
	conn  *call.Conn
	key   uint32 // of the last held call
	held  []heldCall
}

type heldCall struct {
	key    uint32
	cancel context.CancelFunc
	done   chan outcome
}

// finish waits for a held call's end and checks it.
func (m *model) finish(t *rapid.T, i int, want error) {
	h := m.held[i]
	m.held = append(m.held[:i], m.held[i+1:]...)
	o := <-h.done
	switch {
	case want == nil && o.err != nil, want != nil && !errors.Is(o.err, want):
		t.Fatalf("key %d: %v, want %v", h.key, o.err, want)
	}
	h.cancel()
}

func (m *model) pick(t *rapid.T) int {
	if len(m.held) == 0 {
		t.Skip("nothing is held")
	}
	return rapid.IntRange(0, len(m.held)-1).Draw(t, "held")
}

func (m *model) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"call": func(t *rapid.T) {
			a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
			r, err := addM.Call(context.Background(), m.conn, [2]int64{a, b})
			if err != nil || r.N != a+b {
				t.Fatalf("%d, %v", r.N, err)
			}
		},
		"body": func(t *rapid.T) {
			size := rapid.OneOf(rapid.SampledFrom(sizes), rapid.IntRange(0, 300_000))
			in, out, room := size.Draw(t, "in"), size.Draw(t, "out"), size.Draw(t, "room")
			body := pattern(in, 9)
			r, got, err := blobM.CallBody(context.Background(), m.conn, blobArg{Out: int64(out)}, body, make([]byte, 0, room))
			if err != nil || r.Sum != sumOf(body) || len(got) != out || sumOf(got) != sumOf(pattern(out, 1)) {
				t.Fatalf("%+v, %d bytes, %v", r, len(got), err)
			}
		},
		"fail": func(t *rapid.T) {
			i := rapid.IntRange(0, len(failures)-1).Draw(t, "failure")
			_, err := failM.Call(context.Background(), m.conn, number{int64(i)})
			if remote := (*call.RemoteError)(nil); !errors.As(err, &remote) || remote.Panic != failures[i].panic {
				t.Fatal(err)
			}
		},
		"hold": func(t *rapid.T) {
			if len(m.held) == 20 {
				t.Skip("enough are held")
			}
			m.key++
			ctx, cancel := context.WithCancel(context.Background())
			deaf := rapid.Bool().Draw(t, "deaf")
			m.held = append(m.held, heldCall{m.key, cancel, hold(ctx, m.conn, holdArg{m.key, deaf})})
			m.f.seen(m.other, m.key, 1, 0)
		},
		"open": func(t *rapid.T) {
			i := m.pick(t)
			m.f.open(m.other, m.held[i].key)
			m.finish(t, i, nil)
		},
		"cancel": func(t *rapid.T) {
			i := m.pick(t)
			m.held[i].cancel()
			key := m.held[i].key
			m.finish(t, i, context.Canceled)
			m.f.open(m.other, key)
			m.f.seen(m.other, key, 1, 1)
		},
		"closed context": func(t *rapid.T) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if _, err := addM.Call(ctx, m.conn, [2]int64{}); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		},
		"close": func(t *rapid.T) {
			if err := m.conn.Close(); err != nil {
				t.Fatal(err)
			}
			for len(m.held) > 0 {
				// A handler that hears of the end may still have answered.
				o := <-m.held[0].done
				if o.err != nil && !errors.Is(o.err, os.ErrClosed) {
					t.Fatal(o.err)
				}
				m.f.open(m.other, m.held[0].key)
				m.held[0].cancel()
				m.held = m.held[1:]
			}
			if _, err := addM.Call(context.Background(), m.conn, [2]int64{}); !errors.Is(err, os.ErrClosed) {
				t.Fatal(err)
			}
			m.conn = m.f.dial()
		},
		"": func(t *rapid.T) {
			if err := m.conn.Err(); err != nil {
				t.Fatal(err)
			}
			eventually(m.f.t, "slots of calls that are over are free", func() bool {
				return call.FreeSlots(m.conn) == 64-len(m.held)
			})
		},
	}
}

// Whatever a client does in whatever order, each call has the outcome that it
// would have alone.
func TestAnySequence(t *testing.T) {
	eachWay(t, config{Slots: 64}, func(t *testing.T, f *fixture) {
		m := &model{f: f, other: f.dial()}
		rapid.Check(t, func(rt *rapid.T) {
			m.conn, m.held = f.dial(), nil
			rt.Repeat(m.actions())
			m.actions()["close"](rt)
			m.conn.Close()
		})
	})
}
