package contender

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/partywall/partywall/call"
)

// service is under which name partywall's contenders serve, in run directories of their own.
const service = "bench/echo"

type (
	small [64]byte
	none  = struct{}
)

var (
	echoSmall = call.NewMethod[small, small]("small")
	echoBody  = call.NewMethod[none, none]("body")
)

// partywallCall is call.Method with default options: 64 bytes as a struct of fixed layout, any other
// size as a body.
type partywallCall struct{}

func (partywallCall) Serve(ctx context.Context, dir string, ready func(string)) error {
	return servePartywall(ctx, dir, ready, func(srv *call.Server) {
		echoSmall.Handle(srv, func(_ context.Context, in *call.In[small], out *call.Out[small]) error {
			Answer(out.Result[:], in.Arg[:])
			return nil
		})
		echoBody.Handle(srv, func(_ context.Context, in *call.In[none], out *call.Out[none]) error {
			body, err := out.Body(len(in.Body()))
			if err != nil {
				return err
			}
			Answer(body, in.Body())
			return nil
		})
	})
}

func servePartywall(ctx context.Context, dir string, ready func(string), handle func(*call.Server)) error {
	run := filepath.Join(dir, "run")
	if err := os.Setenv("PARTYWALL_DIR", run); err != nil {
		return err
	}
	srv, err := call.Listen(service)
	if err != nil {
		return err
	}
	handle(srv)
	ready(run)
	return srv.Serve(ctx)
}

func (partywallCall) Dial(ctx context.Context, run string) (Conn, error) {
	c, err := call.Dial(ctx, service, call.Dir(run), call.Expect(echoSmall, echoBody))
	if err != nil {
		return nil, err
	}
	return partywallConn{c}, nil
}

type partywallConn struct{ *call.Conn }

func (c partywallConn) Caller(size int) (Caller, error) {
	if size == len(small{}) {
		return CallerFunc(c.callSmall), nil
	}
	return CallerFunc(c.callBody), nil
}

func (c partywallConn) callSmall(ctx context.Context, arg, result []byte) error {
	answer, err := echoSmall.Call(ctx, c.Conn, small(arg))
	copy(result, answer[:])
	return err
}

func (c partywallConn) callBody(ctx context.Context, arg, result []byte) error {
	_, body, err := echoBody.CallBody(ctx, c.Conn, none{}, arg, result[:0])
	if err == nil && len(body) != len(result) {
		err = fmt.Errorf("an answer of %d bytes", len(body))
	}
	return err
}
