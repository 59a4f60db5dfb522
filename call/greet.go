package call

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// attend serves one client from handshake to end.
func (s *Server) attend(link *rendezvous.Link) {
	session, err := s.greet(link)
	if err != nil {
		_ = link.Send(msgRefuse, encode(refusalOf(err)), nil)
		link.Close()
		s.config.onError(fmt.Errorf("service %q: handshake with %v: %w", s.name, link.Peer(), err))
		return
	}
	session.serve()
}

// greet does the server's half of the handshake.
func (s *Server) greet(link *rendezvous.Link) (*session, error) {
	_ = link.SetReceiveDeadline(time.Now().Add(handshakeTimeout))
	stop := context.AfterFunc(s.ctx, link.Interrupt)
	defer stop()
	m, err := link.Receive()
	if err != nil {
		if s.ctx.Err() != nil {
			return nil, context.Cause(s.ctx)
		}
		return nil, gone(err)
	}
	if m.File != nil {
		m.File.Close()
		return nil, fmt.Errorf("%w: a descriptor in the handshake", partywall.ErrProtocol)
	}
	if m.Kind != msgHello {
		return nil, fmt.Errorf("%w: message %d in the handshake", partywall.ErrProtocol, m.Kind)
	}
	h, err := decode[hello](m.Payload)
	if err != nil {
		return nil, err
	}
	switch {
	case h.Version != ProtocolVersion:
		return nil, fmt.Errorf("%w: the client speaks %d, the service %d", partywall.ErrVersion, h.Version, ProtocolVersion)
	case h.Service != s.name:
		return nil, fmt.Errorf("%w: this is %q, not what the client asked for", partywall.ErrNotFound, s.name)
	case s.leaving.Load():
		return nil, fmt.Errorf("%w: service %q", partywall.ErrShutdown, s.name)
	}
	x, err := s.welcome(link) // which may need an answer of the client's
	_ = link.SetReceiveDeadline(time.Time{})
	return x, err
}

func (s *Server) welcome(link *rendezvous.Link) (*session, error) {
	session, err := newSession(s, link)
	if byPeer(err) {
		return nil, gone(err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", partywall.ErrBusy, s.name, err)
	}
	g := session.control.geometry
	w := welcome{
		Slots:      uint32(g.slots),
		ArgRoom:    uint32(g.argRoom),
		ResultRoom: uint32(g.resultRoom),
		Quota:      uint64(s.config.quota),
	}
	err = s.admit(session)
	if err == nil {
		if err = link.SendRegion(msgWelcome, encode(w), session.control.region); err != nil {
			err = gone(err)
		}
	}
	if err != nil {
		session.cancel(err)
		s.dismiss(session)
		session.control.region.Close()
		return nil, err
	}
	return session, nil
}

// byPeer reports whether the peer has a part in an error of making memory, which takes its help on Windows.
func byPeer(err error) bool {
	for _, its := range []error{io.EOF, io.ErrClosedPipe, os.ErrDeadlineExceeded, partywall.ErrProtocol} {
		if errors.Is(err, its) {
			return true
		}
	}
	return false
}
