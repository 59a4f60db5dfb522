// Package peer says who is at the other end of a conn, by the kernel's word and
// never by the peer's own.
//
// Whether a peer is alive is not asked by process id, which is reused: on Linux the conn's
// socket comes to its end of file when the peer dies, on Windows its process handle is signalled.
package peer

import "fmt"

// An Identity is a process and its user, as they were when the conn was made.
type Identity struct {
	PID     int    // the process id, as this process's pid namespace sees it; 0 if it cannot
	UID     int    // the user id, as this process's user namespace sees it; -1 on Windows
	User    string // on Windows: the user's security identifier
	Session uint32 // on Windows: the session that the process runs in
}

// String returns the identity as error texts show it.
func (id Identity) String() string { return fmt.Sprintf("process %d of user %s", id.PID, id.UserID()) }

// UserID returns the user as [os/user.LookupId] takes it.
func (id Identity) UserID() string { return id.user() }

// CheckSameUser reports whether the peer belongs to this process's user. The
// error wraps [partywall.ErrAccess].
func (id Identity) CheckSameUser() error { return id.checkSameUser() }

// CheckSameSession reports whether the peer runs in this process's session: on Windows, that of the same
// desktop, or of the services. Elsewhere there is one. The error wraps [partywall.ErrAccess].
func (id Identity) CheckSameSession() error { return id.checkSameSession() }
