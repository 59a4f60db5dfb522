package backing

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

func identityRole([]string) error {
	me, err := ownIdentity()
	if err != nil {
		return err
	}
	fmt.Println("I am", me)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func TestIdentity(t *testing.T) {
	me, err := ownIdentity()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "this process's id", int(me>>32), os.Getpid())
	for identity, want := range map[uint64]bool{
		me:                 true,
		me ^ 1:             false, // who had the id before
		me ^ 1<<31:         false,
		1:                  false,
		0xfffffff0<<32 | 1: false, // no process has that id
	} {
		expect(t, fmt.Sprintf("%#x is alive", identity), alive(identity), want)
	}
	for _, kill := range []bool{false, true} {
		p := proctest.Start(t, "identity")
		var other uint64
		if _, err := fmt.Sscan(p.Expect("I am "), &other); err != nil {
			t.Fatal(err)
		}
		expect(t, "the other's id", int(other>>32), p.PID())
		expect(t, "the other is alive", alive(other), true)
		expect(t, "one with its id is alive", alive(other^1), false)
		if kill {
			p.Kill()
			// Nobody has waited for it: it is a zombie, or somebody has a handle to it.
			within(t, "a killed process lives", func() bool { return !alive(other) })
		}
		p.Wait()
		expect(t, "it is alive after its end", alive(other), false)
	}
}
