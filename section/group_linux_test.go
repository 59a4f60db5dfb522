package section_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

func init() { conformRoles["member"] = memberRole }

const groupNumber = 54321 // no group of this machine's, and nobody's but the tests'

// memberRole opens a section of a group, and does what it is told.
func memberRole(_ ground, name string, args []string) error {
	syscall.Umask(0o077)
	options := []section.Option{section.Dir(args[0])}
	if args[1] != "" {
		options = append(options, section.Group(args[1]))
	}
	s, err := section.Open[plant](name, options...)
	answer("open", "", err)
	if err != nil {
		return nil
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var n uint32
		switch command, _, _ := strings.Cut(in.Text(), " "); command {
		case "load":
			v, err := s.Load()
			answer(command, fmt.Sprint(v.Jobs), err)
		case "store":
			fmt.Sscan(in.Text(), &command, &n)
			answer(command, "", s.Store(plant{Jobs: n}))
		}
	}
	answer("close", "", s.Close())
	return nil
}

// A user is somebody else than who runs the tests.
type user struct {
	id     uint32
	groups []uint32
}

// users gives a function that starts a role as a user, and a directory that all can search.
func users(t *testing.T) (dir string, start func(u user, role, name string, args ...string) *proctest.Process) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start processes as other users")
	}
	dir, err := os.MkdirTemp("", "pw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "section.test")
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(binary, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, func(u user, role, name string, args ...string) *proctest.Process {
		t.Helper()
		return proctest.StartAs(t, func(cmd *exec.Cmd) {
			cmd.Path, cmd.Dir = binary, "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: u.id, Gid: u.id, Groups: u.groups}}
		}, "conform", append([]string{role, "files", "", name}, args...)...)
	}
}

// Members of a group share a section, whoever has made it; others do not come near it.
func TestGroup(t *testing.T) {
	top, start := users(t)
	group, dir := fmt.Sprint(groupNumber), filepath.Join(top, "shared")
	ann, bob, eve := user{4001, []uint32{groupNumber}}, user{4002, []uint32{groupNumber}}, user{4003, nil}
	a := start(ann, "member", "g", dir, group)
	if got := a.Expect("open"); got != "ok" {
		t.Fatal(got)
	}
	b := start(bob, "member", "g", dir, group)
	if got := b.Expect("open"); got != "ok" {
		t.Fatal(got)
	}
	if got := tell(t, b, "store", 5); got != "ok" {
		t.Error(got)
	}
	if got := tell(t, a, "load"); got != "ok 5" {
		t.Error(got)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Gid != groupNumber || st.Mode&0o7777 != 0o2770 {
		t.Errorf("the directory is of group %d with mode %04o", st.Gid, st.Mode&0o7777)
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Gid != groupNumber || st.Mode&0o7777 != 0o660 {
			t.Errorf("%s is of group %d with mode %04o", path, st.Gid, st.Mode&0o7777)
		}
	}
	if len(paths) != 2 {
		t.Errorf("there is %v", paths)
	}
	for _, test := range []struct {
		who   user
		group string
		says  string
	}{
		{eve, group, "Access"},  // no member
		{eve, "", "Access"},     // who does not say so either
		{ann, "", "Access"},     // it is not hers alone
		{ann, "4001", "Access"}, // another group of hers
		{ann, "no such group", "NotFound"},
	} {
		if got := start(test.who, "member", "g", dir, test.group).Expect("open"); !strings.HasPrefix(got, test.says+" ") || !strings.Contains(got, "section ") || test.says == "Access" && !strings.Contains(got, dir) {
			t.Errorf("user %d, group %q: %s", test.who.id, test.group, got)
		}
	}
	// Who is no member cannot make a section that looks as if the group had it.
	if got := start(eve, "member", "g", filepath.Join(top, "eve"), group).Expect("open"); !strings.HasPrefix(got, "Access ") {
		t.Error(got)
	}
	if left, _ := filepath.Glob(filepath.Join(top, "eve*")); len(left) != 0 {
		t.Errorf("it leaves %v", left)
	}

	// The one who made it is killed; the other goes on, and is the last.
	a.Kill()
	a.Wait()
	if got := tell(t, b, "store", 6); got != "ok" {
		t.Error(got)
	}
	if err := b.Wait(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	// What one user's processes have left, another's make anew.
	b = start(bob, "member", "g", dir, group)
	b.Expect("open")
	b.Kill()
	b.Wait()
	a = start(ann, "member", "g", dir, group)
	if got := a.Expect("open"); got != "ok" {
		t.Error(got)
	}
	if got := tell(t, a, "load"); got != "ok 0" {
		t.Error(got)
	}
	if err := a.Wait(); err != nil {
		t.Error(err)
	}
}

// Another user has no part in a section of this one's, and cannot put one in its place.
func TestAnotherUser(t *testing.T) {
	top, start := users(t)
	dir := filepath.Join(top, "run")
	mine := start(user{4001, nil}, "member", "mine", dir, "")
	if got := mine.Expect("open"); got != "ok" {
		t.Fatal(got)
	}
	for _, id := range []uint32{4002, 0} { // not root either: it would be another's word that it believes
		if got := start(user{id, nil}, "member", "mine", dir, "").Expect("open"); !strings.HasPrefix(got, "Access ") || !strings.Contains(got, dir) {
			t.Errorf("user %d: %s", id, got)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, id := range []uint32{4001, 4002} {
		if got := start(user{id, nil}, "member", "mine", dir, "").Expect("open"); !strings.HasPrefix(got, "Access ") || id == 4001 && !strings.Contains(got, "chmod 0700") {
			t.Errorf("user %d, a directory that all may write: %s", id, got)
		}
	}
	if got := tell(t, mine, "store", 5); got != "ok" {
		t.Error(got)
	}
	if err := mine.Wait(); err != nil {
		t.Error(err)
	}
}
