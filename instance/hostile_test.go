package instance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

// What a client sends that is no launch is refused, and the instance lives.
func TestHostileLaunches(t *testing.T) {
	prepare(t)
	p := startFirst(t, "hostile")
	conn, err := call.Dial(context.Background(), instance.Prefix+"hostile")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	one := [][]byte{[]byte("x")}
	for say, m := range map[string]instance.Message{
		"a payload of 1048577 bytes":                {Args: one, Payload: make([]byte, instance.MaxPayload+1)},
		"1 arguments take 6291465 bytes":            {Args: [][]byte{make([]byte, instance.MaxArgs)}},
		"700000 arguments take 6300000":             {Args: make([][]byte, 700_000)},
		"and the directory 6291457":                 {Dir: make([]byte, instance.MaxArgs+1)},
		"entry 0 of 1 is not NAME=value":            {Env: [][]byte{[]byte("no sign")}},
		"entry 1 of 2 is not NAME=value":            {Env: [][]byte{[]byte("A="), []byte("=value")}},
		"entry 0 of 3 is not NAME=value":            {Env: [][]byte{nil, nil, nil}},
		"environment entry 0 of 1 is not NAME=valu": {Env: [][]byte{[]byte("A=\x00")}},
	} {
		_, err := instance.Deliver.Call(context.Background(), conn, m)
		var refused *call.RemoteError
		if !errors.As(err, &refused) || refused.Panic {
			t.Errorf("%s: %v", say, err)
		}
		wantText(t, err, say)
	}

	// More than it lets anybody lend.
	_, err = instance.Deliver.Call(context.Background(), conn, instance.Message{Payload: make([]byte, 32<<20)})
	wantErr(t, err, partywall.ErrTooLarge)

	// Other types.
	type other struct{ Args []string }
	type answer struct{ Outcome uint32 }
	otherTypes := call.NewMethod[other, answer]("launch")
	_, err = otherTypes.Call(context.Background(), conn, other{Args: []string{"x"}})
	wantErr(t, err, partywall.ErrLayout)

	// Conns that do nothing.
	for range 20 {
		idle, err := call.Dial(context.Background(), instance.Prefix+"hostile")
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
	}

	_, err = instance.Acquire(within(t, proctest.Watchdog), "hostile", instance.Args("friend"))
	wantErr(t, err, partywall.ErrRunning)
	if r := hear(t, p, "launch"); r.Sum != sum([]string{"friend"}, nil, nil) {
		t.Errorf("it has been given %+v", r)
	}
}

// Senders that go while their launches wait leave nothing: neither a launch that somebody is given, nor
// whatever would keep Close from returning.
func TestSendersGo(t *testing.T) {
	prepare(t)
	i := acquire(t, "goers")
	for range 5 {
		p := proctest.Start(t, "player")
		tell(t, p, order{Do: "acquire", Name: "goers", Args: [][]byte{[]byte("goes")}})
		conns := func() int {
			conn, err := call.Dial(context.Background(), instance.Prefix+"goers")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			d, err := conn.Describe(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return int(d.Conns)
		}
		until(t, func() bool { return conns() > 1 })
		p.Kill()
		_ = p.Wait()
		until(t, func() bool { return conns() == 1 })
	}
	done := make(chan error, 1)
	go func() {
		_, err := instance.Acquire(within(t, proctest.Watchdog), "goers", instance.Args("stays"))
		done <- err
	}()
	if l := next(t, i); !slices.Equal(l.Args, []string{"stays"}) {
		t.Errorf("%q", l.Args)
	}
	wantErr(t, <-done, partywall.ErrRunning)
}

// An error's text is one line, whatever has been sent, and names no more than the user gave.
func TestErrorTexts(t *testing.T) {
	prepare(t)
	i := acquire(t, "texts")
	_, err := instance.Acquire(within(t, 1e8), "texts")
	for _, want := range []string{"partywall: running, but cannot be reached: \"texts\", process ", "its Launches loop is busy, or it has none"} {
		wantText(t, err, want)
	}
	if strings.Count(err.Error(), "texts") != 1 || strings.Contains(err.Error(), instance.Prefix) {
		t.Error(err)
	}
	t.Log(err)
	i.Close()
	for _, err := range i.Launches(context.Background()) {
		t.Log(err)
	}
}
