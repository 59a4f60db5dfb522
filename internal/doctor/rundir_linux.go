package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// runDirectory has rendezvous judge the run directory, as Dial would, and finds out
// why it judges so.
func runDirectory(ctx context.Context) Finding {
	d := lookAt(rendezvous.DirPath())
	link, err := rendezvous.Dial(ctx, rendezvous.Place{}, scratch())
	switch {
	case err == nil: // it is a name that nobody serves
		link.Close()
	case !errors.Is(err, partywall.ErrNotFound):
		return d.refused(err)
	}
	switch {
	case d.missing():
		if f, ok := d.noParent(); !ok {
			return f
		}
	case d.err != nil:
		return d.refused(d.err)
	}
	return d.oddities()
}

// A runDir is what the system says about the run directory, or about whatever
// else is there.
type runDir struct {
	path string
	from string // the variable that it comes from
	stat unix.Stat_t
	err  error // instead of stat
}

// The variables that the path can come from, by [rendezvous.DirPath].
const (
	fromOwn     = "PARTYWALL_DIR"
	fromSession = "XDG_RUNTIME_DIR"
	fromTemp    = "TMPDIR"
)

func lookAt(path string) runDir {
	d := runDir{path: path}
	for _, d.from = range []string{fromOwn, fromSession, fromTemp} {
		if os.Getenv(d.from) != "" {
			break
		}
	}
	d.err = again(func() error { return unix.Lstat(path, &d.stat) })
	return d
}

func (d runDir) missing() bool { return errors.Is(d.err, unix.ENOENT) }

func (d runDir) kind() uint32 { return d.stat.Mode & unix.S_IFMT }
func (d runDir) mode() uint32 { return d.stat.Mode & 0o7777 }

// seen describes it with all that matters.
func (d runDir) seen() string {
	text := d.path + " (from " + d.from + "): "
	if os.Getenv(d.from) == "" {
		text = d.path + " (no variable is set): "
	}
	switch {
	case d.missing():
		return text + "not there yet"
	case d.err != nil:
		return text + d.err.Error()
	}
	switch d.kind() {
	case unix.S_IFDIR:
		text += "a directory"
	case unix.S_IFLNK:
		return text + "a link"
	case unix.S_IFREG:
		text += "a file"
	default:
		text += "neither a directory nor a file"
	}
	text += fmt.Sprintf(" of user %d, mode %04o", d.stat.Uid, d.mode())
	if name := fileSystem(d.path); name != "" {
		text += ", on " + name
	}
	return text
}

// elsewhere is a way out of everything.
const elsewhere = "set PARTYWALL_DIR to another directory, for clients and servers alike."

// refused explains a judgement of rendezvous.
func (d runDir) refused(err error) Finding {
	f := Finding{
		Status: Failed,
		Seen:   d.seen(),
		Means:  "Listen and Dial fail: the run directory has to be a directory that only its user can reach.",
	}
	switch {
	case errors.Is(d.err, unix.ENOTDIR):
		f.Advice = "What lies above it is not a directory: " + elsewhere
	case d.missing(): // that alone would be no reason
		f.Means, f.Advice = err.Error(), advice(err)
	case d.err != nil && d.from == fromSession:
		f.Advice = "Unset XDG_RUNTIME_DIR if it is another user's (su keeps it), or " + elsewhere
	case d.err != nil:
		f.Advice = fmt.Sprintf("See to it that user %d can reach it, or %s", os.Geteuid(), elsewhere)
	case d.kind() == unix.S_IFLNK:
		f.Advice = "Remove the link, or set PARTYWALL_DIR to the directory that it leads to."
	case d.kind() != unix.S_IFDIR:
		f.Advice = "Remove it, or " + elsewhere
	case int(d.stat.Uid) != os.Geteuid():
		f.Advice = fmt.Sprintf("Have user %d remove it, or %s", d.stat.Uid, elsewhere)
	case d.mode()&^unix.S_ISGID != 0o700 && d.ours():
		f.Advice = "chmod 0700 " + d.path + ", or " + elsewhere
	case d.mode()&^unix.S_ISGID != 0o700:
		f.Advice = "It has files that are not partywall's, so do not change its mode: " + elsewhere
	default: // rendezvous has a reason that is not looked for here
		f.Means, f.Advice = err.Error(), advice(err)
	}
	return f
}

// ownFile is what partywall calls its files: a name's hash, and what it is for.
var ownFile = regexp.MustCompile(`^[0-9a-f]{24}\.[a-z]+$`)

// ours reports whether nothing but partywall's own files lie in the directory.
func (d runDir) ours() bool {
	entries, err := os.ReadDir(d.path)
	foreign := func(e os.DirEntry) bool { return !ownFile.MatchString(e.Name()) }
	return err == nil && !slices.ContainsFunc(entries, foreign)
}

// noParent: Listen makes the run directory, but not what is above it.
func (d runDir) noParent() (f Finding, ok bool) {
	parent := filepath.Dir(d.path)
	if info, err := os.Stat(parent); err == nil && info.IsDir() {
		return Finding{}, true
	}
	f = Finding{
		Status: Failed,
		Seen:   d.seen() + ", nor is " + parent,
		Means:  "Listen fails: it makes the run directory, but no directory above it.",
		Advice: "mkdir -p " + parent + ", or " + elsewhere,
	}
	if d.from == fromSession {
		f.Advice = "Unset XDG_RUNTIME_DIR if nothing makes it (su and sudo do not), or " + elsewhere
	}
	return f, false
}

// oddities warns of what works and surprises.
func (d runDir) oddities() Finding {
	f := fine("%s", d.seen())
	if d.missing() {
		f.Seen += "; Listen will make it"
	}
	switch {
	case !filepath.IsAbs(d.path):
		f.Status = Warning
		f.Means = "Its path is relative: programs that run in different directories do not find each other."
		f.Advice = "Set " + d.from + " to an absolute path."
	case remote[fileSystem(d.existing())]:
		f.Status = Warning
		f.Means = "Services there are found on this machine only, and finding them waits for another program or machine."
		f.Advice = "Use a directory of a local file system: " + elsewhere
	}
	return f
}

// existing returns the directory, or where it will be made.
func (d runDir) existing() string {
	if d.missing() {
		return filepath.Dir(d.path)
	}
	return d.path
}

// remote are the file systems that another machine or program serves.
var remote = map[string]bool{
	"nfs": true, "cifs": true, "smb2": true, "9p": true, "ceph": true, "afs": true, "fuse": true,
}

// fileSystem returns the name of the file system that a path lies on, or nothing.
func fileSystem(path string) string {
	var st unix.Statfs_t
	if err := again(func() error { return unix.Statfs(path, &st) }); err != nil {
		return ""
	}
	for name, magic := range map[string]uint32{
		"tmpfs": unix.TMPFS_MAGIC, "ext4": unix.EXT4_SUPER_MAGIC, "xfs": unix.XFS_SUPER_MAGIC,
		"btrfs": unix.BTRFS_SUPER_MAGIC, "overlayfs": unix.OVERLAYFS_SUPER_MAGIC, "f2fs": unix.F2FS_SUPER_MAGIC,
		"bcachefs": unix.BCACHEFS_SUPER_MAGIC, "zfs": 0x2fc12fc1, "ramfs": unix.RAMFS_MAGIC,
		"vfat": unix.MSDOS_SUPER_MAGIC, "exfat": unix.EXFAT_SUPER_MAGIC, "squashfs": unix.SQUASHFS_MAGIC,
		"nfs": unix.NFS_SUPER_MAGIC, "cifs": unix.CIFS_SUPER_MAGIC, "smb2": unix.SMB2_SUPER_MAGIC,
		"9p": unix.V9FS_MAGIC, "ceph": unix.CEPH_SUPER_MAGIC, "afs": unix.AFS_SUPER_MAGIC, "fuse": unix.FUSE_SUPER_MAGIC,
	} {
		if magic == uint32(st.Type) {
			return name
		}
	}
	return fmt.Sprintf("a file system of type %#x", uint32(st.Type))
}
