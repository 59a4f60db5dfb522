package rendezvous

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

// thisUser is whom this process runs as, elevated or not.
var thisUser = sync.OnceValues(func() (*windows.SID, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("ask for this process's user: %w", err)
	}
	return user.User.Sid.Copy()
})

// PrivateDir, PrivateEvent and PrivatePipe are the access that this user's processes have to what [Private] makes:
// elevated ones and others alike, which is why events and pipes have the label of those that are not.
// The words are those of "Security Descriptor String Format" in Microsoft's documentation.
const (
	PrivateDir   = "O:%[1]sD:P(A;OICI;FA;;;%[1]s)"
	PrivateEvent = "O:%[1]sD:P(A;;GA;;;%[1]s)S:(ML;;NW;;;ME)"
	PrivatePipe  = PrivateEvent
)

// Private returns the attributes of what is made for this user alone, or for more of whom the access speaks.
func Private(access string, more ...*windows.SID) (*windows.SecurityAttributes, error) {
	user, err := thisUser()
	if err != nil {
		return nil, err
	}
	words := []any{user}
	for _, sid := range more {
		words = append(words, sid)
	}
	sd, err := windows.SecurityDescriptorFromString(fmt.Sprintf(access, words...))
	if err != nil {
		return nil, fmt.Errorf("security descriptor for %s: %w", user, err)
	}
	return winapi.SecurityAttributes(sd), nil
}

// Owned returns an error unless an object belongs to this user, or to the administrators, who may do
// anything anyway, and whose an elevated process makes what it makes.
func Owned(object windows.Handle, kind windows.SE_OBJECT_TYPE) error {
	sd, err := windows.GetSecurityInfo(object, kind, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("ask for its owner: %w", err)
	}
	user, err := thisUser()
	if err != nil {
		return err
	}
	owner, _, err := sd.Owner()
	switch {
	case err != nil:
		return fmt.Errorf("ask for its owner: %w", err)
	case owner == nil:
		return errors.New("it has no owner")
	case !owner.Equals(user) && !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid):
		return fmt.Errorf("it belongs to user %s, not to %s", owner, user)
	}
	return nil
}

// alone returns an error if somebody else than this user, than the group if there is one, and than the system and its
// administrators, may use a file or directory.
func alone(file windows.Handle, group *windows.SID) error {
	sd, err := windows.GetSecurityInfo(file, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("ask who may use it: %w", err)
	}
	user, err := thisUser()
	if err != nil {
		return err
	}
	if dacl, _, err := sd.DACL(); err != nil || dacl == nil {
		return errors.New("everybody may use it")
	}
	if who := stranger(sd.String(), user, group); who != "" {
		return fmt.Errorf("%s may use it too", who)
	}
	return nil
}

// stranger returns somebody whom the access list of a descriptor lets in, and who is not the
// user, of the group, the system, its administrators, or whoever owns the object.
func stranger(descriptor string, user, group *windows.SID) string {
	_, list, _ := strings.Cut(descriptor, "D:")
	for entry := range strings.SplitSeq(list, "(") {
		// Type;flags;rights;object;inherited object;who, and of some types a condition.
		fields := strings.Split(strings.TrimRight(entry, ")"), ";")
		if len(fields) < 6 {
			continue // the list's flags, or part of a condition, by which nobody is let in
		}
		if kind := fields[0]; kind == "D" || kind == "OD" || kind == "XD" {
			continue // kept out
		}
		who, err := windows.StringToSid(fields[5])
		if err != nil {
			return fields[5]
		}
		if !who.Equals(user) && (group == nil || !who.Equals(group)) && !who.IsWellKnown(windows.WinLocalSystemSid) && !who.IsWellKnown(windows.WinBuiltinAdministratorsSid) &&
			!who.IsWellKnown(windows.WinCreatorOwnerSid) && !who.IsWellKnown(windows.WinCreatorOwnerRightsSid) {
			return fields[5]
		}
	}
	return ""
}
