package rendezvous

import "github.com/partywall/partywall/internal/peer"

// A Place is where names are looked up, and who may be at the other end. The zero Place is the user's run
// directory, for processes of the same user in the same session.
type Place struct {
	Dir        string // the run directory; the user's if empty, or the group's
	Group      string // whose members share it; nobody's if empty
	AnySession bool   // Windows: the peer may run in another session
}

// Open opens the place's directory, which is made if it is missing and create says so.
func (p Place) Open(create bool) (*Dir, error) {
	if p.Group == "" {
		return OpenDir(p.Dir, create)
	}
	return openGroup(p.Dir, p.Group, create)
}

// CheckGroup returns an error if this system does not know the place's group.
func (p Place) CheckGroup() error {
	_, err := lookupGroup(p.Group)
	return err
}

// admit says whether a peer may be one. Among a group's members that is the directory's and the
// system's to say.
func (p Place) admit(id peer.Identity) error {
	if p.Group == "" {
		if err := id.CheckSameUser(); err != nil {
			return err
		}
	}
	if p.AnySession {
		return nil
	}
	return id.CheckSameSession()
}
