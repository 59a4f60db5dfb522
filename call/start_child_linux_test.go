package call_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

// descriptors returns what a process has open, by number.
func descriptors(t *testing.T, pid int) map[string]string {
	t.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(links) == 0 {
		t.Fatal(links, err)
	}
	open := map[string]string{}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil {
			open[filepath.Base(link)] = target
		}
	}
	return open
}

// environ returns an environment variable that a process was started with.
func environ(t *testing.T, pid int, name string) string {
	t.Helper()
	all, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		t.Fatal(err)
	}
	for v := range bytes.SplitSeq(all, []byte{0}) {
		if value, ok := strings.CutPrefix(string(v), name+"="); ok {
			return value
		}
	}
	return ""
}

// A server that is started has a session, an input and an output of its own, the
// directory and environment of its client, and the start lock only until it listens.
func TestStartedServer(t *testing.T) {
	s := newStartTest(t)
	here := t.TempDir()
	t.Chdir(here)
	t.Setenv("PARTYWALL_DIR", "/nowhere")
	t.Setenv("START_TEST_MINE", "1")
	leaks := proctest.Watch(t)
	relative, err := filepath.Rel(here, s.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARTYWALL_PROCTEST_ROLE", "start server")
	pid := s.dial(call.Dir(relative), call.Start(s.command().Args...))
	if got := environ(t, pid, "PARTYWALL_DIR"); got != s.dir {
		t.Errorf("its run directory is %q, not %q", got, s.dir)
	}
	if got := environ(t, pid, "START_TEST_MINE"); got != "1" {
		t.Errorf("the environment is not inherited: %q", got)
	}
	if got, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); got != here {
		t.Errorf("it runs in %q, %v; not in %q", got, err, here)
	}
	if sid, err := unix.Getsid(pid); sid != pid || err != nil {
		t.Errorf("its session is %d, %v", sid, err)
	}
	open, log := descriptors(t, pid), s.file("log")
	if open["0"] != os.DevNull || open["1"] != log || open["2"] != log {
		t.Errorf("it has %v", open)
	}
	for _, target := range open {
		if strings.HasSuffix(target, ".start") {
			t.Errorf("it has the start lock open still: %v", open)
		}
	}
	said, err := os.ReadFile(log)
	if want := `the variable is ""`; err != nil || !strings.Contains(string(said), want) {
		t.Errorf("%q, %v; want %q", said, err, want)
	}
	s.end(pid)
	leaks.Check()
	awaitNoChildren(t)
}

// What the command sets itself stays.
func TestStartCommandKeeps(t *testing.T) {
	s := newStartTest(t)
	leaks := proctest.Watch(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	mine, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	called := 0
	pid := s.dial(call.StartCommand(func() *exec.Cmd {
		called++
		cmd := s.command("START_TEST_MINE=2", "PARTYWALL_DIR=/nowhere")
		cmd.Dir, cmd.Stdout = "/", out
		cmd.ExtraFiles = []*os.File{nil, mine}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // which cannot go with a new session
		return cmd
	}))
	if called != 1 {
		t.Errorf("called %d times", called)
	}
	open := descriptors(t, pid)
	if open["1"] != out.Name() || open["2"] != s.file("log") || open["4"] != "/dev/zero" {
		t.Errorf("it has %v", open)
	}
	if got := environ(t, pid, "START_TEST_MINE") + environ(t, pid, "PARTYWALL_DIR"); got != "2"+s.dir {
		t.Errorf("its environment: %q", got)
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); cwd != "/" {
		t.Error(cwd, err)
	}
	mySession, _ := unix.Getsid(0)
	if sid, err := unix.Getsid(pid); sid != mySession || err != nil {
		t.Errorf("its session is %d, %v, not %d", sid, err, mySession)
	}
	out.Close()
	mine.Close()
	s.end(pid)
	leaks.Check()
}

// A command that leaves the server in the background and ends.
func TestStartDaemon(t *testing.T) {
	s := newStartTest(t)
	leaks := proctest.Watch(t)
	pid := s.dial(call.StartCommand(func() *exec.Cmd {
		server := s.command("START_LISTEN=200ms")
		cmd := exec.Command("sh", append([]string{"-c", `"$@" &`, "sh", server.Path}, server.Args[1:]...)...)
		cmd.Env = server.Env
		return cmd
	}))
	s.wantFree()
	leaks.Check() // the server is nobody's child
	awaitNoChildren(t)
	for _, target := range descriptors(t, pid) {
		if strings.HasSuffix(target, ".start") {
			t.Errorf("it has %s open", target)
		}
	}
	s.end(pid)
}

// The server is not of the client's terminal: neither an interrupt from there nor
// the terminal's end reaches it.
func TestStartedServerHasNoTerminal(t *testing.T) {
	for _, test := range []struct {
		what   string
		signal syscall.Signal
		do     func(master *os.File) error
	}{
		{"Ctrl-C", syscall.SIGINT, func(master *os.File) error { _, err := master.Write([]byte{3}); return err }},
		{"hanging up", syscall.SIGHUP, func(master *os.File) error { return master.Close() }},
	} {
		t.Run(test.what, func(t *testing.T) {
			s := newStartTest(t)
			master, slave := openTerminal(t)
			client := proctest.StartAs(t, func(cmd *exec.Cmd) {
				cmd.Stderr = slave // the one that StartAs leaves to us
				cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
			}, "start client", s.name, s.book)
			slave.Close()
			client.Expect("ready")
			client.Say("dial 0")
			pid := s.served([]*proctest.Process{client})
			ended := s.watch(client.PID())
			if err := test.do(master); err != nil {
				t.Fatal(err)
			}
			ended()
			if exit := (*exec.ExitError)(nil); !errors.As(client.Wait(), &exit) || exit.ExitCode() != signalled+int(test.signal) {
				t.Errorf("the client: %v", exit)
			}
			if got := s.dial(); got != pid {
				t.Errorf("%d serves, not %d", got, pid)
			}
		})
	}
}

// openTerminal makes a pseudo-terminal (pts(4)).
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("NOT TESTED: no pseudo-terminals: ", err)
	}
	master = os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}
