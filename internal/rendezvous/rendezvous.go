// Package rendezvous is how a client finds a service: from a name to a [Link],
// the socket that joins the two processes and that carries their messages and
// descriptors.
//
// Names live in the run directory (see [DirPath]), which belongs to one user. A
// name is hashed into two paths there: a lock file, which is never deleted and
// which the server holds locked, and a socket. The lock is the kernel's and ends with the
// process, so whoever holds it may clear away the socket of a dead server.
package rendezvous

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/partywall/partywall/internal/peer"
)

// Timeout bounds each step in which a live peer has to answer: the handshake,
// and every message that has to be sent.
const Timeout = 5 * time.Second

// Listen takes a name and listens for clients. The error wraps
// [partywall.ErrRunning] if another process holds it.
func Listen(name string) (*Listener, error) { return listen(name) }

// Dial connects to the service that holds the name. The other end belongs to
// this user. The error wraps [partywall.ErrNotFound] if nobody listens.
func Dial(ctx context.Context, name string) (*Link, error) { return dial(ctx, name) }

// fileStem returns what a name's two files are called, without their endings:
// long and strange names become short and plain ones. The true name is checked
// in the handshake.
func fileStem(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:12])
}

// Peer returns who is at the other end.
func (l *Link) Peer() peer.Identity { return l.peer }
