package call_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func init() {
	call.RegisterRole("group serve", groupServe)
	call.RegisterRole("group ask", groupAsk)
}

const groupNumber = "54322" // no group of this machine's, and nobody's but the tests'

// groupOptions are those of a service that a group shares: the first argument is the directory, the second the group.
func groupOptions(args []string) []call.Option {
	syscall.Umask(0o077)
	options := []call.Option{call.Dir(args[0])}
	if args[1] != "" {
		options = append(options, call.Group(args[1]))
	}
	return options
}

func groupServe(args []string) error {
	var options []call.ListenOption
	for _, o := range groupOptions(args) {
		options = append(options, o)
	}
	srv, err := call.Listen("shared", options...)
	fmt.Println(describe(err))
	if err != nil {
		return nil
	}
	whoM.Handle(srv, func(_ context.Context, in *call.In[struct{}], out *call.Out[int64]) error {
		out.Result = int64(in.Peer().UID)
		return nil
	})
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		srv.Close()
	}()
	return srv.Serve(context.Background())
}

// groupAsk dials, and says whom the server takes it for, and who serves.
func groupAsk(args []string) error {
	var options []call.DialOption
	for _, o := range groupOptions(args) {
		options = append(options, o)
	}
	c, err := call.Dial(context.Background(), "shared", options...)
	if err != nil {
		fmt.Println(describe(err))
		return nil
	}
	defer c.Close()
	me, err := whoM.Call(context.Background(), c, struct{}{})
	if err != nil {
		fmt.Println(describe(err))
		return nil
	}
	listed, err := call.List(context.Background(), options...)
	fmt.Println("served", me, "by", c.Peer().User, "listed", len(listed), describe(err))
	return nil
}

// Members of a group share a service, whoever serves it; others do not come near it.
func TestGroup(t *testing.T) {
	other := anotherUser(t)
	top := openTempDir(t)
	if err := os.Chmod(top, 0o777); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(top, "shared")
	const group = 54322
	start := func(user uint32, groups []uint32, role string, args ...string) *proctest.Process {
		return proctest.StartAs(t, func(cmd *exec.Cmd) {
			cmd.Path, cmd.Dir = other.binary, "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user, Groups: groups}}
		}, role, args...)
	}
	member := []uint32{group}
	ann := start(4001, member, "group serve", dir, groupNumber)
	if got := ann.Line(); got != "ok" {
		t.Fatal(got)
	}
	if got := start(4002, member, "group ask", dir, groupNumber).Line(); got != "served 4002 by 4001 listed 1 ok" {
		t.Errorf("a member: %s", got)
	}
	if got := start(4003, nil, "group ask", dir, groupNumber).Line(); !strings.HasPrefix(got, "ErrAccess ") || !strings.Contains(got, "group") {
		t.Errorf("no member: %s", got)
	}
	if got := start(4002, member, "group ask", dir, "").Line(); !strings.HasPrefix(got, "ErrAccess ") {
		t.Errorf("a member that does not say so: %s", got)
	}
	if got := start(4002, member, "group serve", dir, groupNumber).Line(); !strings.HasPrefix(got, "ErrRunning ") {
		t.Errorf("the name is taken: %s", got)
	}
	// Killed, it leaves a socket that another member takes the place of.
	ann.Kill()
	ann.Wait()
	bob := start(4002, member, "group serve", dir, groupNumber)
	if got := bob.Line(); got != "ok" {
		t.Fatal(got)
	}
	if got := start(4001, member, "group ask", dir, groupNumber).Line(); got != "served 4001 by 4002 listed 1 ok" {
		t.Errorf("a member, of the next server: %s", got)
	}
	if got := start(4004, nil, "group serve", filepath.Join(top, "mine"), groupNumber).Line(); got == "ok" {
		t.Error("no member makes a directory for the group")
	}
	bob.Say("end")
	if err := bob.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := call.Dial(t.Context(), "shared", call.Group("no such group")); err == nil || !strings.Contains(err.Error(), "no such group") {
		t.Error(err)
	}
}
