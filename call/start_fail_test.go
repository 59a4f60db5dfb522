//go:build linux || windows

package call_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// dialFails dials with a start that comes to nothing, and checks that this is an
// error which can be printed in one line, and that nothing is left.
func (s *startTest) dialFails(ctx context.Context, options ...call.DialOption) error {
	s.t.Helper()
	leaks := proctest.Watch(s.t)
	conn, err := call.Dial(ctx, s.name, options...)
	if err == nil {
		conn.Close()
		s.t.Fatal("served")
	}
	s.t.Log(err)
	if text := err.Error(); !strings.Contains(text, `"`+s.name+`"`) || strings.ContainsAny(text, "\n\r\x1b") || len(text) > 1000 {
		s.t.Errorf("%q", text)
	}
	leaks.Check()
	return err
}

// What is wrong with the option is said at each Dial, needed or not.
func TestStartArguments(t *testing.T) {
	s := newStartTest(t)
	for range 2 {
		for what, o := range map[string]call.DialOption{
			"call.Start has no command":               call.Start(),
			"call.Start has no command ":              call.Start("", "x"),
			"call.StartCommand has no function":       call.StartCommand(nil),
			"call.StartCommand has returned no comma": call.StartCommand(func() *exec.Cmd { return nil }),
		} {
			if strings.HasSuffix(what, "comma") && len(s.started()) > 0 {
				continue // it is not asked
			}
			if err := s.dialFails(t.Context(), o); !strings.Contains(err.Error(), strings.TrimSpace(what)) {
				t.Errorf("%v", err)
			}
		}
		conn, err := call.Dial(t.Context(), s.name, s.start())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	s.wantStarted(1)
}
