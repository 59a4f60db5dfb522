package contender

import (
	"context"

	"github.com/partywall/partywall/call"
)

var echoInPlace = call.NewInPlace[none, none]("inplace")

// partywallLease is call.InPlace: the client writes the request into memory that both processes
// share, the server works on it there, and the client reads the answer out of it. Every call
// takes a lease of its own.
type partywallLease struct{}

func (partywallLease) Serve(ctx context.Context, dir string, ready func(string)) error {
	return servePartywall(ctx, dir, ready, func(srv *call.Server) {
		echoInPlace.Handle(srv, func(_ context.Context, l *call.Loan[none, none]) error {
			Answer(l.Body, l.Body)
			return nil
		})
	})
}

func (partywallLease) Dial(ctx context.Context, run string) (Conn, error) {
	c, err := call.Dial(ctx, service, call.Dir(run), call.Expect(echoInPlace))
	if err != nil {
		return nil, err
	}
	return leaseConn{c}, nil
}

type leaseConn struct{ *call.Conn }

func (c leaseConn) Caller(size int) (Caller, error) {
	l := &leaseCaller{conn: c.Conn, size: size}
	l.do = l.inside
	return l, nil
}

// leaseCaller has the function that every lease is given, so that none is made for each call.
type leaseCaller struct {
	conn        *call.Conn
	size        int
	do          func(*call.Lease[none, none]) error
	ctx         context.Context
	arg, result []byte
}

func (l *leaseCaller) Call(ctx context.Context, arg, result []byte) error {
	l.ctx, l.arg, l.result = ctx, arg, result
	return echoInPlace.Lease(ctx, l.conn, l.size, l.do)
}

func (l *leaseCaller) inside(lease *call.Lease[none, none]) error {
	copyBytes(lease.Body, l.arg)
	if err := lease.Do(l.ctx); err != nil {
		return err
	}
	copyBytes(l.result, lease.Body)
	return nil
}
