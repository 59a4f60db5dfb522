package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/partywall/partywall"
)

// An Interceptor runs around calls: around the whole call at the client, around
// the handler at the server. It does the call by calling next, once, again after an
// error that allows it, or not at all, and returns the error that the caller gets: next's,
// or its own. If it returns nil and the last next has not, there is no result, and the
// caller gets an error that says so. [Intercept] puts it in place.
//
// It must not return before next has returned; to bound a call, give next a context
// that ends. The call's memory is given back with its end, so a next that still runs is
// waited for, one that is called later returns an error, and two at once take turns.
//
// The context that it gives to next is the call's, or the handler's. An Interceptor is
// called concurrently.
type Interceptor func(ctx context.Context, info *Info, next func(context.Context) error) error

// Info is what an [Interceptor] knows of a call.
type Info struct {
	Service string
	Method  string
	Peer    Peer // who is at the other end

	// Metadata travels from the client's interceptors, which put it here, to those of
	// the server: a request's id, say, or who a program acts for. It is what the client
	// says, and nobody has verified it. All of it together has at most 4 KiB.
	Metadata map[string]string
}

// Intercept has the interceptors run around every call of the conn, or every handler of
// the server; the first is the outermost. An error of the server's interceptors reaches
// the caller as a [RemoteError], as the handler's own does. [Conn.Describe] is not
// intercepted, on either side.
func Intercept(interceptors ...Interceptor) Option {
	return option(func(s *shared) { s.interceptors = append(s.interceptors, interceptors...) })
}

var (
	errNoResult  = errors.New("an interceptor returned nil, and there is no result")
	errLeftEarly = errors.New("an interceptor has returned before it called next")
)

// innermost is what the last next of a chain does. It works on memory that is given
// back when the chain has returned.
type innermost struct {
	do func(context.Context) error

	mu   sync.Mutex // held while do runs
	over bool       // the chain has returned
	done bool       // the last do has returned nil
}

func (i *innermost) run(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock() // do can end its goroutine
	if i.over {
		return errLeftEarly
	}
	i.done = false
	err := i.do(ctx)
	i.done = err == nil
	return err
}

// end waits until do does not run and will not run again, and reports whether there is
// a result.
func (i *innermost) end() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.over = true
	return i.done
}

// chain runs the interceptors around do. When it returns, or an interceptor panics,
// do does not run.
func chain(ctx context.Context, interceptors []Interceptor, info *Info, do func(context.Context) error) (err error) {
	last := &innermost{do: do}
	defer func() {
		if done := last.end(); err == nil && !done {
			err = errNoResult
		}
	}()
	next := last.run
	for _, i := range slices.Backward(interceptors) {
		inner := next
		next = func(ctx context.Context) error { return i(ctx, info, inner) }
	}
	return next(ctx)
}

// intercept does a client's call.
func (c *Conn) intercept(ctx context.Context, method string, do func(ctx context.Context, meta []byte) error) error {
	info := &Info{Service: c.service, Method: method, Peer: c.peer, Metadata: map[string]string{}}
	err := chain(ctx, c.interceptors, info, func(ctx context.Context) error {
		meta, err := encodeMeta(info.Metadata)
		if err != nil {
			return c.wrap(method, err)
		}
		return do(ctx, meta)
	})
	if err == errNoResult {
		return c.wrap(method, err)
	}
	return err
}

func (m *Method[A, R]) intercepted(ctx context.Context, c *Conn, arg *A, result *R, p *parcel) (extended []byte, err error) {
	// What an interceptor's function refers to lies on the heap: copies, for the caller's own stay on the stack.
	question, parcel, answer := *arg, *p, *result
	extended = p.into
	err = c.intercept(ctx, m.name, func(ctx context.Context, meta []byte) (err error) {
		var r R
		again := parcel // an interceptor may ask twice
		again.meta = meta
		extended, err = m.once(ctx, c, &question, &r, &again)
		answer = r
		return err
	})
	*result = answer
	return extended, err
}

// intercept puts the server's interceptors around a handler.
func (s *Server) intercept(h *handler) {
	serve := h.serve
	h.serve = func(ctx context.Context, t *task) error {
		metadata, err := decodeMeta(bytes.Clone(t.meta))
		if err != nil {
			return &layoutError{fmt.Sprintf("the service cannot read the metadata: %v", err)}
		}
		info := &Info{Service: s.name, Method: h.name, Peer: t.session.peer, Metadata: metadata}
		return chain(ctx, s.config.interceptors, info, func(ctx context.Context) error {
			t.unkeep() // an attempt that failed may have left a body
			t.resultLen = 0
			return serve(ctx, t)
		})
	}
}

// Metadata is a CBOR map of texts. No metadata has no bytes.

func encodeMeta(metadata map[string]string) ([]byte, error) {
	if len(metadata) == 0 {
		return nil, nil
	}
	if len(metadata) > maxMetaKeys {
		return nil, fmt.Errorf("%w: metadata of %d keys; the limit is %d", partywall.ErrTooLarge, len(metadata), maxMetaKeys)
	}
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("metadata %q: it is not UTF-8", key)
		}
	}
	b, err := encoding.Marshal(metadata)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	if len(b) > maxMeta {
		return nil, fmt.Errorf("%w: metadata of %d bytes; the limit is %d", partywall.ErrTooLarge, len(b), maxMeta)
	}
	return b, nil
}

func decodeMeta(b []byte) (map[string]string, error) {
	if len(b) == 0 {
		return map[string]string{}, nil
	}
	var metadata map[string]string
	if err := metaDecoding.Unmarshal(b, &metadata); err != nil {
		return nil, err
	}
	if again, err := encoding.Marshal(metadata); err != nil || metadata == nil || !bytes.Equal(again, b) {
		return nil, errors.New("it is no map of texts") // such as null, or a map with null in it
	}
	return metadata, nil
}
