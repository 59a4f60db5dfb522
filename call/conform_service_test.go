package call_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// The service of the conformance tests: its handlers do what their argument says
// and remember what happened to them, so that a test can wait for events in
// another process without measuring time.

type (
	number struct{ N int64 }

	holdArg struct {
		Key  uint32
		Deaf bool // only the gate lets the handler go, not its context
	}

	seenArg struct {
		Key        uint32
		Held, Left int32 // how many handlers must have begun and ended
	}

	// note is what a handler saw of its context.
	note struct {
		Held, Left  int32
		Err, Cause  uint32 // index into known
		HasDeadline bool
		Deadline    int64 // microseconds since 1970
	}

	blobArg struct {
		Out   int64 // bytes of the result's body; -1: the handler asks for none
		First int64 // if not 0, a body of so many bytes is asked for before
		Fail  bool  // the handler fails after it has made the body
		Hold  uint32
	}

	blobResult struct {
		Sum  uint32 // of the request's body
		Len  int64
		Runs int64 // of this handler, this one included
	}

	peerResult struct{ PID, UID, Self, MyUID int64 }
)

var (
	addM     = call.NewMethod[[2]int64, number]("add")
	holdM    = call.NewMethod[holdArg, note]("hold")
	keepM    = call.NewMethod[number, number]("keep")
	keptM    = call.NewMethod[number, note]("kept")
	seenM    = call.NewMethod[seenArg, note]("seen")
	openM    = call.NewMethod[number, struct{}]("open")
	failM    = call.NewMethod[number, number]("fail")
	blobM    = call.NewMethod[blobArg, blobResult]("blob")
	peerM    = call.NewMethod[struct{}, peerResult]("peer")
	mallocsM = call.NewMethod[struct{}, number]("mallocs")
	mapsM    = call.NewMethod[struct{}, number]("maps")
)

// known are the errors that a note can speak of.
var known = []error{nil, context.Canceled, context.DeadlineExceeded, partywall.ErrPeerGone, partywall.ErrShutdown}

func codeOf(err error) uint32 {
	for i, k := range known {
		if errors.Is(err, k) {
			return uint32(i)
		}
	}
	return uint32(len(known))
}

// stage is what the handlers of one service share.
type stage struct {
	mu      sync.Mutex
	changed chan struct{} // closed at each change
	notes   map[uint32]*note
	gates   map[uint32]chan struct{}
	kept    map[int64]context.Context
	runs    int64
}

func newStage() *stage {
	return &stage{
		changed: make(chan struct{}),
		notes:   map[uint32]*note{},
		gates:   map[uint32]chan struct{}{},
		kept:    map[int64]context.Context{},
	}
}

// update changes the note of key.
func (s *stage) update(key uint32, f func(*note)) note {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.notes[key]
	if n == nil {
		n = &note{}
		s.notes[key] = n
	}
	f(n)
	close(s.changed)
	s.changed = make(chan struct{})
	return *n
}

// await waits until the note of key satisfies ok.
func (s *stage) await(ctx context.Context, key uint32, ok func(note) bool) (note, error) {
	for {
		s.mu.Lock()
		n, changed := note{}, s.changed
		if p := s.notes[key]; p != nil {
			n = *p
		}
		s.mu.Unlock()
		if ok(n) {
			return n, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return n, fmt.Errorf("key %d: %+v: %w", key, n, ctx.Err())
		}
	}
}

func (s *stage) gate(key uint32) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gates[key] == nil {
		s.gates[key] = make(chan struct{})
	}
	return s.gates[key]
}

func (s *stage) open(key uint32) {
	gate := s.gate(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-gate:
	default:
		close(gate)
	}
}

// openAll lets every handler go.
func (s *stage) openAll() {
	s.mu.Lock()
	keys := make([]uint32, 0, len(s.gates))
	for key := range s.gates {
		keys = append(keys, key)
	}
	s.mu.Unlock()
	for _, key := range keys {
		s.open(key)
	}
}

func inspect(ctx context.Context, n *note) {
	n.Err, n.Cause = codeOf(ctx.Err()), codeOf(context.Cause(ctx))
	if d, ok := ctx.Deadline(); ok {
		n.HasDeadline, n.Deadline = true, d.UnixMicro()
	}
}

// hold waits in a handler for the gate, and for the context unless deaf.
func (s *stage) hold(ctx context.Context, arg holdArg) note {
	gate := s.gate(arg.Key)
	s.update(arg.Key, func(n *note) { n.Held++ })
	if arg.Deaf {
		<-gate
	} else {
		select {
		case <-gate:
		case <-ctx.Done():
		}
	}
	return s.update(arg.Key, func(n *note) { inspect(ctx, n); n.Left++ })
}

// install makes srv serve the methods above.
func (s *stage) install(srv *call.Server) {
	addM.Handle(srv, func(_ context.Context, in *call.In[[2]int64], out *call.Out[number]) error {
		out.Result.N = in.Arg[0] + in.Arg[1]
		return nil
	})
	holdM.Handle(srv, func(ctx context.Context, in *call.In[holdArg], out *call.Out[note]) error {
		out.Result = s.hold(ctx, in.Arg)
		return nil
	})
	lateM.Handle(srv, func(ctx context.Context, _ *call.In[struct{}], _ *call.Out[struct{}]) error {
		<-ctx.Done()
		return fmt.Errorf("too late: %w", ctx.Err())
	})
	keepM.Handle(srv, func(ctx context.Context, in *call.In[number], out *call.Out[number]) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kept[in.Arg.N] = ctx
		out.Result.N = int64(codeOf(ctx.Err()))
		return nil
	})
	keptM.Handle(srv, func(_ context.Context, in *call.In[number], out *call.Out[note]) error {
		s.mu.Lock()
		ctx := s.kept[in.Arg.N]
		s.mu.Unlock()
		inspect(ctx, &out.Result)
		select {
		case <-ctx.Done():
			out.Result.Left = 1
		default:
		}
		return nil
	})
	seenM.Handle(srv, func(ctx context.Context, in *call.In[seenArg], out *call.Out[note]) (err error) {
		out.Result, err = s.await(ctx, in.Arg.Key, func(n note) bool {
			return n.Held >= in.Arg.Held && n.Left >= in.Arg.Left
		})
		return err
	})
	openM.Handle(srv, func(_ context.Context, in *call.In[number], _ *call.Out[struct{}]) error {
		s.open(uint32(in.Arg.N))
		return nil
	})
	failM.Handle(srv, func(_ context.Context, in *call.In[number], out *call.Out[number]) error {
		out.Result.N = 1 // must not arrive
		return failures[in.Arg.N].do()
	})
	blobM.Handle(srv, s.blob)
	peerM.Handle(srv, func(_ context.Context, in *call.In[struct{}], out *call.Out[peerResult]) error {
		p := in.Peer()
		out.Result = peerResult{int64(p.PID), int64(p.UID), int64(os.Getpid()), int64(os.Getuid())}
		return nil
	})
	mallocsM.Handle(srv, func(_ context.Context, _ *call.In[struct{}], out *call.Out[number]) error {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		out.Result.N = int64(m.Mallocs)
		return nil
	})
	mapsM.Handle(srv, func(_ context.Context, _ *call.In[struct{}], out *call.Out[number]) error {
		out.Result.N = bodyMappings()
		return nil
	})
	installEchoes(srv)
	s.installForms(srv)
}

func (s *stage) blob(ctx context.Context, in *call.In[blobArg], out *call.Out[blobResult]) error {
	s.mu.Lock()
	s.runs++
	out.Result.Runs = s.runs
	s.mu.Unlock()
	if in.Arg.Hold != 0 {
		s.hold(ctx, holdArg{Key: in.Arg.Hold})
	}
	if in.Arg.First != 0 {
		first, err := out.Body(int(in.Arg.First))
		if err != nil {
			return err
		}
		clear(first)
	}
	out.Result.Sum, out.Result.Len = sumOf(in.Body()), int64(len(in.Body()))
	if in.Arg.Out >= 0 {
		body, err := out.Body(int(in.Arg.Out))
		if err != nil {
			return err
		}
		fill(body, 1)
	}
	if in.Arg.Fail {
		return errors.New("no blob today")
	}
	return nil
}

var table = crc32.MakeTable(crc32.Castagnoli)

func sumOf(b []byte) uint32 { return crc32.Checksum(b, table) }

// fill writes a pattern whose period is prime, so that a shift shows.
func fill(b []byte, seed byte) {
	n := min(len(b), 251)
	for i := range n {
		b[i] = seed + byte(3*i)
	}
	for n > 0 && n < len(b) {
		n += copy(b[n:], b[:min(n, 251<<10)])
	}
}

func pattern(n int, seed byte) []byte {
	b := make([]byte, n)
	fill(b, seed)
	return b
}

// bodyMappings counts the body regions that this process has mapped, 0 where the
// system does not tell.
func bodyMappings() int64 {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0
	}
	return int64(strings.Count(string(maps), "/memfd:partywall-body"))
}

// within is the time that a test gives to what must happen.
func within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
