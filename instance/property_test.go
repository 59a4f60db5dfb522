package instance_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
)

// Any lists of any bytes arrive in another process as they were.
func TestAnyArguments(t *testing.T) {
	prepare(t)
	p := startFirst(t, "any")
	anything := rapid.OneOf(
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.String(),
		rapid.SampledFrom([]string{"", " ", "-", "--", "|", `"`, `\`, `\"`, "\x00", "\xff\xfe", "a b", "ä", "😀", "\ud7ff", "$(x)", "%PATH%", "\r\n"}),
	)
	rapid.Check(t, func(r *rapid.T) {
		args := rapid.SliceOfN(anything, 0, 50).Draw(r, "args")
		payload := rapid.SliceOf(rapid.Byte()).Draw(r, "payload")
		_, err := instance.Acquire(context.Background(), "any", instance.Args(args...), instance.Payload(payload))
		if !errors.Is(err, partywall.ErrRunning) {
			r.Fatal(err)
		}
		if got := hear(t, p, "launch"); got.Sum != sum(args, nil, payload) || got.Count != len(args) {
			r.Fatalf("%q arrives as %+v", args, got)
		}
	})
}

// Very many arguments, and a long one.
func TestManyArguments(t *testing.T) {
	prepare(t)
	p := startFirst(t, "many")
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("file number %d", i))
	}
	for _, args := range [][]string{many, {strings.Repeat("long ", 1<<20)}, make([]string, 10_000)} {
		_, err := instance.Acquire(context.Background(), "many", instance.Args(args...))
		wantErr(t, err, partywall.ErrRunning)
		if got := hear(t, p, "launch"); got.Sum != sum(args, nil, nil) || got.Count != len(args) {
			t.Errorf("%d arguments arrive as %+v", len(args), got)
		}
	}
}
