//go:build linux || windows

package call

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
)

// lookUpOf asks for a method and wants the truth in reply, whatever it says itself.
func (l *lyingClient) lookUpOf(ask resolve) error {
	if err := l.send(msgResolve, encode(ask)); err != nil {
		return err
	}
	m, err := l.next()
	if err != nil {
		return err
	}
	r, err := decode[resolved](m.payload)
	if err != nil {
		return err
	}
	number := lieNumbers[ask.Method]
	core := lieCores[number-1]
	want := resolved{ID: ask.ID, Method: number, InPlace: core.inPlace}
	if !bytes.Equal(ask.Arg, core.arg.schema) {
		want.Arg = core.arg.schema
	}
	if !bytes.Equal(ask.Result, core.result.schema) {
		want.Result = core.result.schema
	}
	if !bytes.Equal(encode(r), encode(want)) {
		return fmt.Errorf("%s: the reply is %+v, want %+v", ask.Method, r, want)
	}
	return nil
}

// describeLies are about what a server says of itself.
var describeLies = []clientLie{
	// Whatever a client says of a method, it hears what the server has.
	{name: "resolve-lies", want: served, lie: func(l *lyingClient) error {
		schemas := [][]byte{nil, bytesSchema, lieAdd.arg.schema, lieNotes.arg.schema, fixedMagic, documentMagic, []byte("pwd\x01\xff"), []byte("garbage")}
		for method := range lieNumbers {
			for _, arg := range schemas {
				for _, result := range schemas {
					if err := l.lookUpOf(resolve{7, method, arg, result, rand.IntN(2) == 0}); err != nil {
						return err
					}
				}
			}
			long := bytes.Repeat([]byte("pwd\x01"), maxSchema/4)
			if err := l.lookUpOf(resolve{8, method, long, long, false}); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "resolve-one-schema", want: served, lie: func(l *lyingClient) error {
		for method, number := range lieNumbers {
			core := lieCores[number-1]
			for _, ask := range []resolve{
				{1, method, core.arg.schema, nil, core.inPlace},
				{2, method, nil, core.result.schema, core.inPlace},
				{3, method, core.result.schema, core.arg.schema, core.inPlace},
				{4, method, core.arg.schema[:3], core.result.schema[1:], !core.inPlace},
			} {
				if err := l.lookUpOf(ask); err != nil {
					return err
				}
			}
		}
		return nil
	}},
	{name: "resolve-of-the-reserved", want: served, lie: func(l *lyingClient) error {
		for _, name := range []string{reserved, reserved + "x", strings.ToUpper(describeMethod.name), describeMethod.name + "/", "/" + describeMethod.name} {
			if r, err := l.question(name); err != nil || r.Method != 0 {
				return fmt.Errorf("%q is answered with %+v, %w", name, r, err)
			}
		}
		return nil
	}},

	// Every slot asks at once, again and again, and fetches nothing.
	{name: "describe-flood", want: served, lie: func(l *lyingClient) error {
		for range 2 {
			for i := range probeSlot {
				if err := l.publish(i, requestFields{method: describeNumber}); err != nil {
					return err
				}
			}
			for i := maxSlots - 1; i > probeSlot; i-- {
				if err := l.publish(i, requestFields{method: describeNumber, metaLen: room}); err != nil {
					return err
				}
			}
			for i := range maxSlots {
				if i == probeSlot {
					continue
				}
				if answer, err := l.await(i); err != nil || answer.status != statusKept {
					return fmt.Errorf("slot %d: %+v, %w", i, answer, err)
				}
			}
		}
		return nil
	}},
	// What waits to be fetched is within the quota, whoever keeps it.
	{name: "describe-beside-what-is-kept", want: served, lie: func(l *lyingClient) error {
		if err := l.keep(int64(l.welcome.Quota) - 100); err != nil {
			return err
		}
		if err := l.askFor(1, requestFields{method: describeNumber}, statusQuota); err != nil {
			return err
		}
		if err := l.askFor(0, fetch(0), statusDone); err != nil {
			return err
		}
		return l.askFor(1, requestFields{method: describeNumber}, statusKept)
	}},
}
