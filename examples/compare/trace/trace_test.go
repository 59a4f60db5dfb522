//go:build linux

package trace_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/call/calltest"
	"github.com/partywall/partywall/examples/compare/trace"
)

// greet returns the request's id.
var greet = call.NewMethod[string, string]("greet")

func handle(srv *call.Server) {
	greet.Handle(srv, func(ctx context.Context, in *call.In[string], out *call.Out[string]) error {
		trace.Logger(ctx).Info("greeting", "whom", in.Arg)
		switch in.Arg {
		case "nobody":
			return errors.New("nobody is there")
		case "panic":
			panic("at the door")
		}
		out.Result = trace.ID(ctx)
		return nil
	})
}

// journal is a log that can be looked at.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// take returns what was logged, and empties the log.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := j.text.String()
	j.text.Reset()
	return text
}

type line = map[string]any

// lines takes the log's lines. That calls took time is checked here.
func (j *journal) lines(t *testing.T) (lines []line) {
	t.Helper()
	for text := range strings.Lines(j.take()) {
		l := line{}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if took, ok := l["took"].(float64); strings.HasPrefix(l["msg"].(string), "call") != (ok && took > 0) {
			t.Errorf("%s: a call takes time", text)
		}
		delete(l, "took")
		lines = append(lines, l)
	}
	return lines
}

func TestCalls(t *testing.T) {
	var near, far journal
	s := calltest.Start(t, handle, call.Intercept(trace.Server(far.logger())))
	conn := s.Dial(call.Intercept(trace.Client(near.logger())))
	peer := fmt.Sprintf("process %d of user %d", os.Getpid(), os.Geteuid())
	seen := map[string]bool{}
	for _, tt := range []struct {
		whom, level, msg, failed string
	}{
		{"you", "INFO", "call", ""},
		{"you again", "INFO", "call", ""},
		{"nobody", "WARN", "call failed", "nobody is there"},
		{"panic", "ERROR", "call panicked", ""},
	} {
		id, err := greet.Call(t.Context(), conn, tt.whom)
		said := near.lines(t)
		if len(said) != 1 {
			t.Fatalf("the client says %v", said)
		}
		logged, _ := said[0]["request"].(string)
		if len(logged) != 26 || seen[logged] || id != "" && id != logged {
			t.Errorf("the id is %q, and the server's is %q", logged, id)
		}
		seen[logged] = true
		want := line{"level": "INFO", "msg": "call", "request": logged, "method": "calltest.greet", "server": peer}
		if err != nil {
			want["level"], want["msg"], want["error"] = "WARN", "call failed", err.Error()
		}
		if d := cmp.Diff(want, said[0]); d != "" {
			t.Error(d)
		}
		want = line{"level": tt.level, "msg": tt.msg, "request": logged, "method": "calltest.greet", "client": peer}
		if tt.failed != "" {
			want["error"] = tt.failed
		}
		greeting := line{"level": "INFO", "msg": "greeting", "request": logged, "whom": tt.whom}
		if d := cmp.Diff([]line{greeting, want}, far.lines(t)); d != "" {
			t.Error(d)
		}
	}
}

// A call that a handler makes is part of the request that it is made for.
func TestCallsOn(t *testing.T) {
	var said journal
	logger := said.logger()
	next := calltest.Start(t, handle, call.Intercept(trace.Server(logger))).Dial(call.Intercept(trace.Client(logger)))
	ask := call.NewMethod[string, [2]string]("ask")
	conn := calltest.Start(t, func(srv *call.Server) {
		ask.Handle(srv, func(ctx context.Context, in *call.In[string], out *call.Out[[2]string]) (err error) {
			out.Result[0] = trace.ID(ctx)
			out.Result[1], err = greet.Call(ctx, next, in.Arg)
			return err
		})
	}, call.Intercept(trace.Server(logger))).Dial(call.Intercept(trace.Client(logger)))
	ids, err := ask.Call(t.Context(), conn, "a friend")
	if err != nil || ids[0] == "" || ids[0] != ids[1] {
		t.Errorf("the ids are %q, %v", ids, err)
	}
	for _, l := range said.lines(t) {
		if l["request"] != ids[0] {
			t.Errorf("%v, want request %s", l, ids[0])
		}
	}
}

// An id is what a client says: any text or none.
func TestHostileID(t *testing.T) {
	var said journal
	s := calltest.Start(t, handle, call.Intercept(trace.Server(slog.New(slog.NewTextHandler(&said, nil)))))
	for _, tt := range []struct {
		id   string
		kept bool
	}{
		{"42", true},
		{strings.Repeat("x", 64), true},
		{"a\nlevel=INFO msg=forged\x1b[2J \u202e", true},
		{"", false},
		{strings.Repeat("x", 65), false},
	} {
		claim := func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
			info.Metadata["request-id"] = tt.id
			return next(ctx)
		}
		id, err := greet.Call(t.Context(), s.Dial(call.Intercept(claim)), "you")
		if err != nil || (id == tt.id) != tt.kept || !tt.kept && len(id) != 26 {
			t.Errorf("%q has become %q, %v", tt.id, id, err)
		}
		if text := said.take(); strings.Count(text, "\n") != 2 || strings.Count(text, " request=") != 2 || strings.Contains(text, "\x1b") {
			t.Errorf("%q is logged as %q", tt.id, text)
		}
	}
}

// A handler need not know whether its server traces.
func TestNoTrace(t *testing.T) {
	conn := calltest.Dial(t, handle)
	if id, err := greet.Call(t.Context(), conn, "you"); id != "" || err != nil {
		t.Error(id, err)
	}
}
