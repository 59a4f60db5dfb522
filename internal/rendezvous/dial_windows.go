package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
)

func dial(ctx context.Context, place Place, name string) (*Link, error) {
	if err := partywall.CheckName(name); err != nil {
		return nil, err
	}
	link, err := reach(ctx, place, name)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", name, err)
	}
	return link, nil
}

// reach finds the pipe that the lock file names, and joins with whoever listens there.
func reach(ctx context.Context, place Place, name string) (*Link, error) {
	dir, err := place.Open(false)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	where, signed, err := dir.signature(fileStem(name))
	switch {
	case errors.Is(err, partywall.ErrAccess):
		return nil, err
	case err != nil || signed != name:
		return nil, fmt.Errorf("%w: nobody serves it", partywall.ErrNotFound)
	}
	p, err := connect(ctx, where)
	if err != nil {
		return nil, err
	}
	link, err := joinAt(ctx, place, p)
	switch {
	case err == nil:
		return link, nil
	case errors.Is(err, io.EOF): // closed before it has answered: it is ending
		return nil, fmt.Errorf("%w: its server has ended", partywall.ErrNotFound)
	case ctx.Err() != nil && errors.Is(err, errStopped):
		return nil, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("its server does not answer: %w", err)
	}
	return nil, err
}

// connect tries again while all instances of the pipe have their client, as they have for a
// moment when many dial at once.
func connect(ctx context.Context, where string) (*pipe, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	patience := time.Now().Add(Timeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		p, err := openPipe(where)
		switch {
		case err == nil:
			return p, nil
		case errors.Is(err, windows.ERROR_FILE_NOT_FOUND), errors.Is(err, windows.ERROR_PATH_NOT_FOUND):
			return nil, fmt.Errorf("%w: its server has ended", partywall.ErrNotFound)
		case errors.Is(err, windows.ERROR_ACCESS_DENIED):
			return nil, fmt.Errorf("%w: %w", partywall.ErrAccess, err)
		case !errors.Is(err, windows.ERROR_PIPE_BUSY):
			return nil, os.NewSyscallError("CreateFile", err)
		case time.Now().After(patience):
			return nil, fmt.Errorf("%w: it does not accept clients, and its backlog is full: %w", partywall.ErrBusy, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("its backlog is full: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

// joinAt asks the kernel who listens at the pipe, and joins if that may be. The pipe is its own from then on.
func joinAt(ctx context.Context, place Place, p *pipe) (_ *Link, err error) {
	pid, err := p.server()
	if err != nil {
		p.close()
		return nil, io.EOF
	}
	server, err := peer.OfProcess(pid, peer.Watch)
	if err == nil {
		if err = place.admit(server.Identity); err != nil {
			server.Close()
		}
	}
	if err != nil {
		defer p.close()
		if _, gone := p.available(); gone != nil {
			return nil, io.EOF // it has ended meanwhile
		}
		return nil, err
	}
	return joinClient(p, server, ctx.Done())
}
