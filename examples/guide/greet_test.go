//go:build linux

package greet_test

import (
	"context"
	"testing"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/call/calltest"
	greet "github.com/partywall/partywall/examples/guide"
)

func TestHello(t *testing.T) {
	conn := calltest.Dial(t, greet.Handle)
	for language, want := range map[string]string{"": "Hello, Ada", "de": "Guten Tag, Ada"} {
		reply, err := greet.Hello.Call(t.Context(), conn, greet.Greeting{Name: "Ada", Language: language})
		if err != nil || reply.Text != want {
			t.Errorf("%q: %q, %v", language, reply.Text, err)
		}
	}
	_, err := greet.Hello.Call(t.Context(), conn, greet.Greeting{Language: "tlh"})
	if got := greet.Explain(err); got != `the handler said no: no greeting in "tlh"` {
		t.Error(got)
	}
}

func TestSteps(t *testing.T) {
	id := func() string { return "7" }
	conn := calltest.Dial(t, greet.Handle, call.Intercept(greet.Request(id), greet.Log))
	ctx := t.Context()
	if reply, err := greet.HelloSoon(ctx, conn, "Bo"); err != nil || reply.Text != "Hello, Bo" {
		t.Error(reply, err)
	}
	if loud, err := greet.ShoutText(ctx, conn, []byte("knock")); err != nil || string(loud) != "KNOCK" {
		t.Errorf("%s, %v", loud, err)
	}
	s := greet.Series{Count: 2, Values: [16]float64{1, 2}}
	if mean, err := greet.Mean.Call(ctx, conn, s); err != nil || mean.Mean != 1.5 {
		t.Error(mean, err)
	}
	s.Count = 17
	if _, err := greet.Mean.Call(ctx, conn, s); err == nil {
		t.Error("17 values of 16")
	}
	err := greet.InvertAll(ctx, conn, 1<<20, func(b []byte) { clear(b) }, func(b []byte) {
		for _, v := range b {
			if v != 0xff {
				t.Fatalf("%#x", v)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
	if err := greet.HelloAll(ctx, conn, "Cy", "Di", "Ed"); err != nil {
		t.Error(err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := greet.HelloAll(done, conn, "Flo"); err == nil {
		t.Error("it has greeted after the end")
	}
}
