package call

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// A Server serves one service. [Listen] makes one, [Method.Handle] adds its
// methods, [Server.Serve] runs it.
type Server struct {
	name     string
	started  time.Time
	config   listenConfig
	listener *rendezvous.Listener
	ctx      context.Context // ends with Close; the parent of every handler's context
	cancel   context.CancelCauseFunc
	monitor  monitor

	begun   atomic.Bool // Serve has been called
	leaving atomic.Bool // new requests are refused
	stop    sync.Once
	stopped chan struct{} // closed when the listener is
	work    sync.WaitGroup

	mu       sync.Mutex
	serving  bool
	closed   bool
	handlers []*handler      // by method number - 1
	past     []atomic.Uint64 // the calls of conns that have ended, by handler
	sessions map[*session]struct{}
}

// handler is a method as it is served.
type handler struct {
	*core
	serve  func(ctx context.Context, t *task) error
	index  int           // among the handlers
	recent atomic.Int64  // nanoseconds that it took of late
	failed atomic.Uint64 // runs
	times  histogram     // of the runs that are timed
}

// Listen takes the name, so that no other process can serve it. Clients that
// dial from now on wait for [Server.Serve], up to five seconds.
//
// The error wraps [partywall.ErrRunning] if another process serves the name,
// [partywall.ErrAccess] if the run directory is not this user's alone, or
// [partywall.ErrName].
func Listen(name string, options ...ListenOption) (*Server, error) {
	config := newListenConfig(options)
	listener, err := rendezvous.Listen(config.place, name)
	if err != nil {
		return nil, err
	}
	s := &Server{
		name:     name,
		started:  time.Now(),
		config:   config,
		listener: listener,
		stopped:  make(chan struct{}),
		sessions: map[*session]struct{}{},
	}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.monitor.init()
	s.work.Go(func() { s.monitor.run(s.ctx) })
	return s, nil
}

// Service returns the name that is served.
func (s *Server) Service() string { return s.name }

func (s *Server) handle(m *core, serve func(context.Context, *task) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serving {
		panic(fmt.Sprintf("call: Handle of method %q after Serve of service %q", m.name, s.name))
	}
	for _, h := range s.handlers {
		if h.name == m.name {
			panic(fmt.Sprintf("call: a second Handle of method %q in service %q", m.name, s.name))
		}
	}
	s.handlers = append(s.handlers, &handler{core: m, serve: serve, index: len(s.handlers)})
}

// find returns the number of a method, or 0.
func (s *Server) find(name string) int {
	for i, h := range s.handlers {
		if h.name == name {
			return i + 1
		}
	}
	return 0
}

// Serve accepts clients and serves them until the context ends or the server is
// shut down or closed, and then returns nil, once every handler has returned. The
// end of the context closes the server as [Server.Close] does. Any other end is an
// error. Serve is called once.
func (s *Server) Serve(ctx context.Context) error {
	if !s.begun.CompareAndSwap(false, true) {
		panic("call: a second Serve of service " + s.name)
	}
	s.prepare()
	s.mu.Lock()
	s.serving = true
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.work.Add(1)
	s.mu.Unlock()

	defer context.AfterFunc(ctx, func() { s.Close() })()
	err := s.accept()
	s.work.Done()
	if errors.Is(err, net.ErrClosed) {
		<-s.stopped
		err = nil
	} else {
		s.Close()
	}
	s.work.Wait()
	return err
}

func (s *Server) accept() error {
	for {
		link, err := s.listener.Accept()
		switch {
		case err == nil:
			s.work.Go(func() { s.attend(link) })
		case errors.Is(err, partywall.ErrAccess):
			s.config.onError(fmt.Errorf("service %q: client refused: %w", s.name, err))
		case temporary(err):
			s.config.onError(fmt.Errorf("service %q: accept: %w", s.name, err))
			time.Sleep(10 * time.Millisecond)
		default:
			return err
		}
	}
}

// temporary reports whether accepting can succeed later: a client that has gone
// again, or descriptors or memory that have run out.
func temporary(err error) bool {
	var t interface{ Temporary() bool }
	if errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM) {
		return true
	}
	return !errors.Is(err, net.ErrClosed) && errors.As(err, &t) && t.Temporary()
}

// admit counts a session in, if the server has room and is not closing.
func (s *Server) admit(session *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return fmt.Errorf("%w: service %q", partywall.ErrShutdown, s.name)
	case len(s.sessions) >= s.config.maxConns:
		return fmt.Errorf("%w: %q has %d conns; raise call.MaxConns where it listens", partywall.ErrBusy, s.name, len(s.sessions))
	}
	s.sessions[session] = struct{}{}
	return nil
}

func (s *Server) dismiss(session *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sessions[session]; !ok {
		return
	}
	delete(s.sessions, session)
	for i := range s.past {
		s.past[i].Add(session.calls[i].Load())
	}
}

func (s *Server) all() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*session
	for x := range s.sessions {
		all = append(all, x)
	}
	return all
}

// geometry makes room in each slot for the largest argument and result.
func (s *Server) geometry() geometry {
	g := geometry{slots: s.config.slots, argRoom: minRoom, resultRoom: minRoom}
	for _, h := range s.handlers {
		g.argRoom = max(g.argRoom, roundUp(h.arg.room(), 64))
		g.resultRoom = max(g.resultRoom, roundUp(h.result.room(), 64))
	}
	return g
}

// unlisten gives the name back.
func (s *Server) unlisten() {
	s.leaving.Store(true)
	s.stop.Do(func() {
		s.listener.Close()
		close(s.stopped)
	})
}

// Shutdown ends the server in order: the name is free at once, new calls and
// clients are refused with [partywall.ErrShutdown], and when every handler that
// runs has returned, the conns are ended and Serve returns. If the context ends
// first, Shutdown returns its error, and the server stays as it is: refusing,
// with handlers running; Close ends it.
func (s *Server) Shutdown(ctx context.Context) error {
	s.unlisten()
	for pause := time.Millisecond; s.busy(); pause = min(2*pause, 100*time.Millisecond) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("shut down service %q: handlers are still running: %w", s.name, ctx.Err())
		case <-time.After(pause):
		}
	}
	return s.close()
}

func (s *Server) busy() bool {
	for _, x := range s.all() {
		if x.busy() {
			return true
		}
	}
	return false
}

// Close ends the server at once: the contexts of running handlers end, clients
// get [partywall.ErrShutdown] or [partywall.ErrPeerGone], and the name is free.
// It waits until every handler has returned. It is idempotent and may be called
// concurrently, but not by a handler.
func (s *Server) Close() error {
	s.unlisten()
	return s.close()
}

func (s *Server) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel(fmt.Errorf("%w: service %q", partywall.ErrShutdown, s.name))
	for _, x := range s.all() {
		x.leave()
	}
	s.work.Wait()
	return nil
}
