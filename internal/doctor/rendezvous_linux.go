package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// findService serves a name and dials it, in a directory made for that: within
// the run directory, or beside where that will be made.
func findService(ctx context.Context) Finding {
	base := lookAt(rendezvous.DirPath()).existing()
	dir := filepath.Join(base, "."+scratch())
	defer os.RemoveAll(dir)
	pid, err := meet(ctx, dir)
	if err != nil {
		return Finding{
			Status: Failed,
			Seen:   base + ": " + strings.ReplaceAll(err.Error(), dir, "the scratch directory"),
			Means:  "So no service can be listened for or found.",
			Advice: adviceIn(base, err),
		}
	}
	if pid != os.Getpid() {
		return Finding{
			Status: Failed,
			Seen:   fmt.Sprintf("%s: process %d answers instead of this one, %d", base, pid, os.Getpid()),
			Means:  "Its sockets lead to somebody else.",
			Advice: "Use a directory of a local file system: " + elsewhere,
		}
	}
	return fine("listened for, dialled and answered in %s", base)
}

// adviceIn is what can be done about an error in a directory.
func adviceIn(dir string, err error) string {
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOENT):
		return fmt.Sprintf("See to it that user %d may write to %s and that sockets can be made there, or %s", os.Geteuid(), dir, elsewhere)
	case errors.Is(err, partywall.ErrAccess):
		return "A directory that is made there with mode 0700 does not get it: look at the umask and at how the file system is mounted, or " + elsewhere
	}
	return advice(err)
}
