package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
)

// GroupDir and GroupPipe are what a group's members have beside what its user has: they may use and make files, and
// connect to pipes, but not make an instance of one. The system and its administrators may do everything. The second word is the
// group's security identifier.
const (
	GroupDir  = "D:P(A;OICI;FA;;;%[1]s)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;%[2]s)"
	GroupPipe = "D:P(A;;GA;;;%[1]s)(A;;GA;;;SY)(A;;0x12019b;;;%[2]s)S:(ML;;NW;;;ME)"
)

// accessFor returns the attributes of what is made for this user alone, or for a group if there is one.
func accessFor(private, shared string, group *windows.SID) (*windows.SecurityAttributes, error) {
	if group == nil {
		return Private(private)
	}
	return Private(shared, group)
}

// lookupGroup returns the security identifier of a group, which may be given as such.
func lookupGroup(name string) (*windows.SID, error) {
	if sid, err := windows.StringToSid(name); err == nil {
		return sid, nil
	}
	sid, _, kind, err := windows.LookupSID("", name)
	if err != nil {
		return nil, fmt.Errorf("%w: this system has no group %q: %w", partywall.ErrNotFound, name, err)
	}
	switch kind {
	case windows.SidTypeGroup, windows.SidTypeAlias, windows.SidTypeWellKnownGroup:
		return sid, nil
	}
	return nil, fmt.Errorf("%w: %q is no group", partywall.ErrNotFound, name)
}

// openGroup opens a directory that the members of a group share, as %ProgramData% has them if path is empty. It must
// belong to this user, or to the system or its administrators: of anybody else it is not known whether he is a
// member.
func openGroup(path, group string, create bool) (*Dir, error) {
	sid, err := lookupGroup(group)
	if err != nil {
		return nil, err
	}
	if path == "" {
		all := os.Getenv("ProgramData")
		if all == "" {
			if all, err = windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0); err != nil {
				return nil, fmt.Errorf("%w: there is no directory for all users' data: %w", partywall.ErrNotFound, err)
			}
		}
		path = filepath.Join(all, "partywall-group-"+sid.String())
	}
	return openDirOf(path, sid, create)
}

// owned returns an error unless an object of the directory belongs to this user or to the administrators; among a group's members,
// to the system or to whomever the directory lets make files there.
func (d *Dir) owned(object windows.Handle) error {
	err := Owned(object, windows.SE_FILE_OBJECT)
	if err == nil || d.group == nil {
		return err
	}
	if object != d.handle {
		return nil
	}
	sd, serr := windows.GetSecurityInfo(object, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if serr != nil {
		return errors.Join(err, serr)
	}
	if owner, _, oerr := sd.Owner(); oerr == nil && owner != nil && owner.IsWellKnown(windows.WinLocalSystemSid) {
		return nil
	}
	return err
}

// letSee lets a group's members notice this process's end: that of a service they may not see otherwise.
func letSee(group *windows.SID) error {
	self := windows.CurrentProcess()
	sd, err := windows.GetSecurityInfo(self, windows.SE_KERNEL_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("ask who may see this process: %w", err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return nil // without a list everybody may
	}
	list, err := windows.ACLFromEntries([]windows.EXPLICIT_ACCESS{{
		AccessPermissions: peer.Watch,
		AccessMode:        windows.GRANT_ACCESS,
		Trustee: windows.TRUSTEE{
			TrusteeForm:  windows.TRUSTEE_IS_SID,
			TrusteeType:  windows.TRUSTEE_IS_GROUP,
			TrusteeValue: windows.TrusteeValueFromSID(group),
		},
	}}, dacl)
	if err == nil {
		err = windows.SetSecurityInfo(self, windows.SE_KERNEL_OBJECT, windows.DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	}
	if err != nil {
		return fmt.Errorf("let the group %s see this process: %w", group, err)
	}
	return nil
}
