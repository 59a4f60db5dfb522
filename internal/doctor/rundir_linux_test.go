package doctor

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/internal/rendezvous"
)

// examineDir examines with the run directory that the environment says.
func examineDir(t *testing.T, own, session, temp string) map[string]Finding {
	t.Helper()
	t.Setenv("PARTYWALL_DIR", own)
	t.Setenv("XDG_RUNTIME_DIR", session)
	t.Setenv("TMPDIR", temp)
	return byID(t, Examine(t.Context()))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// makeDir makes a directory of exactly that mode.
func makeDir(t *testing.T, mode os.FileMode, path ...string) string {
	t.Helper()
	dir := filepath.Join(path...)
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.Chmod(dir, mode))
	return dir
}

func touch(t *testing.T, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	must(t, os.WriteFile(file, nil, 0o600))
	return file
}

func link(t *testing.T, to string, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	must(t, os.Symlink(to, name))
	return name
}

func TestRunDirectory(t *testing.T) {
	for _, test := range []struct {
		what string
		make func(t *testing.T, dir string) string // the run directory
		want Status
		says []string
	}{
		{"good", func(t *testing.T, dir string) string { return makeDir(t, 0o700, dir, "run") }, OK,
			[]string{"run (from PARTYWALL_DIR): a directory of user", "mode 0700, on "}},
		{"set-group-id, as its parent has it", func(t *testing.T, dir string) string { return makeDir(t, 0o700|os.ModeSetgid, dir, "run") }, OK,
			[]string{"mode 2700"}},
		{"not there", func(t *testing.T, dir string) string { return filepath.Join(dir, "run") }, OK,
			[]string{"not there yet; Listen will make it"}},
		{"open to others", func(t *testing.T, dir string) string { return makeDir(t, 0o755, dir, "run") }, Failed,
			[]string{"mode 0755", "only its user can reach", "chmod 0700 ", "set PARTYWALL_DIR"}},
		{"open to others, and in use", func(t *testing.T, dir string) string {
			run := filepath.Join(dir, "run")
			l, err := rendezvous.Listen(rendezvous.Place{Dir: run}, "served")
			must(t, err)
			t.Cleanup(func() { l.Close() })
			must(t, os.Chmod(run, 0o711))
			return run
		}, Failed, []string{"mode 0711", "chmod 0700 "}},
		{"somebody's home", func(t *testing.T, dir string) string {
			run := makeDir(t, 0o755, dir, "run")
			touch(t, run, "letter")
			return run
		}, Failed, []string{"do not change its mode"}},
		{"not even for its user", func(t *testing.T, dir string) string { return makeDir(t, 0o500, dir, "run") }, Failed,
			[]string{"mode 0500"}},
		{"sticky", func(t *testing.T, dir string) string { return makeDir(t, 0o700|os.ModeSticky, dir, "run") }, Failed,
			[]string{"mode 1700"}},
		{"a link", func(t *testing.T, dir string) string { return link(t, makeDir(t, 0o700, dir, "good"), dir, "run") }, Failed,
			[]string{": a link", "Remove the link, or set PARTYWALL_DIR to"}},
		{"a link to nothing", func(t *testing.T, dir string) string { return link(t, "nothing", dir, "run") }, Failed,
			[]string{": a link"}},
		{"reached through a link", func(t *testing.T, dir string) string {
			makeDir(t, 0o700, makeDir(t, 0o700, dir, "above"), "run")
			return filepath.Join(link(t, "above", dir, "link"), "run")
		}, OK, nil},
		{"a file", func(t *testing.T, dir string) string { return touch(t, dir, "run") }, Failed,
			[]string{": a file of user", "Remove it"}},
		{"a socket", func(t *testing.T, dir string) string {
			t.Chdir(dir) // the path may be too long for a socket
			l, err := net.Listen("unix", "run")
			must(t, err)
			t.Cleanup(func() { l.Close() })
			return filepath.Join(dir, "run")
		}, Failed, []string{": neither a directory nor a file"}},
		{"below a file", func(t *testing.T, dir string) string { return filepath.Join(touch(t, dir, "file"), "run") }, Failed,
			[]string{"not a directory", "What lies above it"}},
		{"no parent", func(t *testing.T, dir string) string { return filepath.Join(dir, "missing", "run") }, Failed,
			[]string{"not there yet, nor is ", "mkdir -p "}},
		{"relative", func(t *testing.T, dir string) string {
			t.Chdir(dir)
			makeDir(t, 0o700, dir, "run")
			return "run"
		}, Warning, []string{"relative", "Set PARTYWALL_DIR to an absolute path"}},
		{"relative, and not there", func(t *testing.T, dir string) string {
			t.Chdir(dir)
			return "run"
		}, Warning, []string{"not there yet; Listen will make it", "relative"}},
		{"a path too long for a socket", func(t *testing.T, dir string) string {
			return makeDir(t, 0o700, dir, strings.Repeat("long", 50))
		}, OK, nil},
		{"a name longer than any", func(t *testing.T, dir string) string { return filepath.Join(dir, strings.Repeat("long", 100)) }, Failed,
			[]string{"file name too long"}},
		{"a name that a terminal would obey", func(t *testing.T, dir string) string { return makeDir(t, 0o700, dir, "r\x1b[31mun") }, OK, nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			run := test.make(t, t.TempDir())
			before := tree(t, run)
			findings := examineDir(t, run, "", "")
			only(t, findings, "run-directory", test.want, test.says...)
			if f := findings["rendezvous"]; test.want == Failed && f.Seen != "not tried, because of: run-directory" || test.want != Failed && f.Status != OK {
				t.Errorf("%+v", f)
			}
			if after := tree(t, run); after != before {
				t.Errorf("what is there has changed from %s to %s", before, after)
			}
		})
	}
}

// tree describes what lies at a path and beside it.
func tree(t *testing.T, run string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(filepath.Dir(run), "*"))
	must(t, err)
	hidden, err := filepath.Glob(filepath.Join(filepath.Dir(run), ".*"))
	must(t, err)
	text := fmt.Sprint(all, hidden)
	if info, err := os.Lstat(run); err == nil {
		text += fmt.Sprint(info.Mode(), info.ModTime().IsZero())
	}
	entries, _ := os.ReadDir(run)
	return text + fmt.Sprint(entries)
}

// The finding says which variable is to blame.
func TestVariables(t *testing.T) {
	dir := t.TempDir()
	run := makeDir(t, 0o700, dir, "run")
	nowhere := filepath.Join(dir, "nowhere")
	only(t, examineDir(t, run, nowhere, nowhere), "run-directory", OK, "(from PARTYWALL_DIR)")
	only(t, examineDir(t, "", dir, nowhere), "run-directory", OK, "(from XDG_RUNTIME_DIR)", filepath.Join(dir, "partywall"))
	only(t, examineDir(t, "", "", dir), "run-directory", OK, "(from TMPDIR)", fmt.Sprintf("partywall-%d", os.Geteuid()))
	only(t, examineDir(t, "", nowhere, ""), "run-directory", Failed, "(from XDG_RUNTIME_DIR)", "Unset XDG_RUNTIME_DIR")
	only(t, examineDir(t, "", "", nowhere), "run-directory", Failed, "(from TMPDIR)", "mkdir -p "+nowhere)
	t.Setenv("TMPDIR", "")
	if d := lookAt("x"); !strings.Contains(d.seen(), "x (no variable is set): not there yet") {
		t.Errorf("%s", d.seen())
	}
}

// Another user's directory is nobody's to repair.
func TestOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only the superuser can give a directory away")
	}
	dir := t.TempDir()
	run := makeDir(t, 0o700, dir, "run")
	must(t, os.Chown(run, 12345, -1))
	only(t, examineDir(t, run, "", ""), "run-directory", Failed, "of user 12345", "Have user 12345 remove it")
}

// Where a directory cannot be made, that is said before a service says it.
func TestNowhereToMakeIt(t *testing.T) {
	only(t, examineDir(t, "/proc/partywall", "", ""), "rendezvous", Failed, "/proc: ", "set PARTYWALL_DIR to another directory")
	if os.Geteuid() == 0 {
		return // who may write everywhere
	}
	dir := makeDir(t, 0o500, t.TempDir(), "above")
	only(t, examineDir(t, filepath.Join(dir, "run"), "", ""), "rendezvous", Failed, "permission denied", "may write to "+dir)
}

func TestFileSystem(t *testing.T) {
	var st unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &st); err != nil || int64(st.Type) != unix.TMPFS_MAGIC {
		t.Skip("no tmpfs at /dev/shm")
	}
	if got := fileSystem("/dev/shm"); got != "tmpfs" {
		t.Errorf("got %s", got)
	}
	if got := fileSystem("/proc"); got != "a file system of type 0x9fa0" {
		t.Errorf("got %s", got)
	}
	if got := fileSystem("/nowhere"); got != "" {
		t.Errorf("got %s", got)
	}
}
