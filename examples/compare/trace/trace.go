// Package trace logs calls on both sides, and carries a request's id from the client's
// log to the server's. It is two interceptors:
//
//	conn, err := call.Dial(ctx, name, call.Intercept(trace.Client(logger)))
//	srv, err := call.Listen(name, call.Intercept(trace.Server(logger)))
//
// The client's puts an id into the metadata of each call. The server's takes it out and
// gives the handler a context with it, so that what the handler logs through [Logger]
// carries the id too, and so do the calls that it makes to other services.
package trace

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/partywall/partywall/call"
)

const (
	metadataKey = "request-id"
	attribute   = "request"

	// maxID is the longest id in bytes that is taken from a client. Package slog
	// quotes what a log line must not have.
	maxID = 64
)

// Client returns a client's interceptor. A call that a handler makes keeps the id of the
// request that it is made for; any other gets a new one.
func Client(logger *slog.Logger) call.Interceptor {
	return func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
		id := ID(ctx)
		if id == "" {
			id = rand.Text()
		}
		info.Metadata[metadataKey] = id
		return logged(ctx, logger.With(attribute, id), info, "server", next)
	}
}

// Server returns a server's interceptor. A request without an id, or with one that is
// too long, gets a new one.
func Server(logger *slog.Logger) call.Interceptor {
	return func(ctx context.Context, info *call.Info, next func(context.Context) error) error {
		id := info.Metadata[metadataKey]
		if id == "" || len(id) > maxID {
			id = rand.Text()
		}
		r := &request{id, logger.With(attribute, id)}
		return logged(context.WithValue(ctx, contextKey{}, r), r.logger, info, "client", next)
	}
}

// logged does a call and logs how it ended, which may be a handler's panic.
func logged(ctx context.Context, logger *slog.Logger, info *call.Info, who string, next func(context.Context) error) (err error) {
	start, returned := time.Now(), false
	defer func() {
		attrs := []slog.Attr{
			slog.String("method", info.Service+"."+info.Method),
			slog.String(who, fmt.Sprintf("process %d of user %s", info.Peer.PID, info.Peer.User)),
			slog.Duration("took", time.Since(start)),
		}
		switch {
		case !returned:
			logger.LogAttrs(ctx, slog.LevelError, "call panicked", attrs...)
		case err != nil:
			logger.LogAttrs(ctx, slog.LevelWarn, "call failed", append(attrs, slog.Any("error", err))...)
		default:
			logger.LogAttrs(ctx, slog.LevelInfo, "call", attrs...)
		}
	}()
	err = next(ctx)
	returned = true
	return err
}

type contextKey struct{}

// request is what a handler's context carries.
type request struct {
	id     string
	logger *slog.Logger
}

// ID returns the id of the request that a handler runs for, or "" if its server does not
// trace.
func ID(ctx context.Context) string {
	if r, ok := ctx.Value(contextKey{}).(*request); ok {
		return r.id
	}
	return ""
}

// Logger returns the server's logger, with the request's id, for a handler's own lines. If
// its server does not trace, they go nowhere.
func Logger(ctx context.Context) *slog.Logger {
	if r, ok := ctx.Value(contextKey{}).(*request); ok {
		return r.logger
	}
	return slog.New(slog.DiscardHandler)
}
