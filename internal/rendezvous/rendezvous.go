// Package rendezvous is how a client finds a service: from a name to a [Link],
// the socket that joins the two processes and that carries their messages and
// descriptors.
//
// Names live in the run directory (see [DirPath]), which belongs to one user. A
// name is hashed into two paths there: a lock file, which is never deleted and
// which the server holds locked, and a socket. The lock is the kernel's and ends with the
// process, so whoever holds it may clear away the socket of a dead server.
//
// A third path, beside those, is the [StartLock] of clients that start the server.
package rendezvous

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/partywall/partywall/internal/peer"
)

// Timeout bounds each step in which a live peer has to answer: the handshake,
// and every message that has to be sent.
const Timeout = 5 * time.Second

// Listen takes a name in a place, and listens for clients. If this process was started under the name's [StartLock], that is
// free from then on. The error wraps [partywall.ErrRunning] if another process holds
// the name.
func Listen(place Place, name string) (*Listener, error) { return listen(place, name) }

// Dial connects to the service that holds the name in a place. The other end belongs to this user, unless the
// place is a group's. The error wraps [partywall.ErrNotFound] if nobody listens.
func Dial(ctx context.Context, place Place, name string) (*Link, error) {
	return dial(ctx, place, name)
}

// Names returns the names that are served in a place, in order; none if the directory is missing. It disturbs no server. A
// server may come or end while it looks: only a dial decides. The error wraps
// [partywall.ErrAccess] if the directory is not this user's alone.
func Names(place Place) ([]string, error) { return names(place) }

// ErrStarting: another client holds the start lock, or the server that one has
// started does.
var ErrStarting = errors.New("another client is starting it")

// TryStartLock takes the start lock of a name in a place, whose directory is made if it is missing. The error wraps [ErrStarting] if
// the lock is taken; TryStartLock does not wait.
func TryStartLock(place Place, name string) (*StartLock, error) { return tryStartLock(place, name) }

// StartingPID returns the process id that the holder of a start lock has noted
// with [StartLock.Note], or 0. It is for people to read: nothing vouches for it.
func StartingPID(place Place, name string) int { return startingPID(place, name) }

// Stem returns what the files of a name are called in a run directory, without their
// endings.
func Stem(name string) string { return fileStem(name) }

// fileStem returns what a name's files are called, without their endings: long and
// strange names become short and plain ones. The true name is checked in the
// handshake.
func fileStem(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:12])
}

// Peer returns who is at the other end.
func (l *Link) Peer() peer.Identity { return l.peer }
