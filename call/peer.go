package call

import "github.com/partywall/partywall/internal/peer"

// A Peer is the process at the other end of a conn, by the kernel's word, as it
// was when the conn was made.
type Peer struct {
	PID int // process id; 0 if it lies in a namespace that this process cannot see
	UID int // user id; -1 on Windows

	// User is the user as [os/user.LookupId] takes it: the user id in decimal, on Windows the
	// security identifier.
	User string
}

func peerOf(id peer.Identity) Peer { return Peer{PID: id.PID, UID: id.UID, User: id.UserID()} }
