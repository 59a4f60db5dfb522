package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

func dial(ctx context.Context, place Place, name string) (*Link, error) {
	if err := partywall.CheckName(name); err != nil {
		return nil, err
	}
	dir, err := place.Open(false)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", name, err)
	}
	defer dir.Close()
	conn, err := connect(ctx, dir.at(fileStem(name)+".sock"))
	if err != nil {
		err = dialError(err)
		if place.Group != "" && errors.Is(err, partywall.ErrAccess) {
			err = fmt.Errorf("%w; only members of group %s may use what is in %s", err, place.Group, dir.path)
		}
		return nil, fmt.Errorf("dial %q: %w", name, err)
	}
	link, err := newLink(conn)
	if err == nil {
		err = place.admit(link.peer)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("dial %q: %w", name, err)
	}
	return link, nil
}

// connect tries again while the service's backlog is full, which the kernel
// reports at once instead of letting a non-blocking connect wait.
func connect(ctx context.Context, path string) (*net.UnixConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	patience := time.Now().Add(Timeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
		if !errors.Is(err, unix.EAGAIN) {
			return conn, err
		}
		if time.Now().After(patience) {
			return nil, fmt.Errorf("%w: it does not accept clients, and its backlog is full: %w", partywall.ErrBusy, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("its backlog is full: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

func dialError(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: nobody serves it", partywall.ErrNotFound)
	case errors.Is(err, unix.ECONNREFUSED):
		return fmt.Errorf("%w: its server has ended", partywall.ErrNotFound)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %w", partywall.ErrAccess, err)
	}
	return err
}
