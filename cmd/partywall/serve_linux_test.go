package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/echo"
)

// The tests' programs have another patience if these are set.
const (
	leaveVariable      = "PARTYWALL_TEST_LEAVE"
	completionVariable = "PARTYWALL_TEST_COMPLETION"
)

func init() {
	for variable, patience := range map[string]*time.Duration{leaveVariable: &leavePatience, completionVariable: &completionPatience} {
		if d, err := time.ParseDuration(os.Getenv(variable)); err == nil {
			*patience = d
		}
	}
}

// startEcho starts "serve echo" in a run directory of its own, by a shell's command before
// it if there is one, and dials when it says that it serves.
func startEcho(t *testing.T, patience, before string) (*program, *call.Conn) {
	t.Helper()
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: exec.Command("sh", "-c", before+`exec "$0" serve echo`, binary), t: t, tmp: t.TempDir(), ended: make(chan struct{})}
	p.Env = append(os.Environ(), mainVariable+"=1", "TMPDIR="+p.tmp, leaveVariable+"="+patience)
	p.Stderr = &p.stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	dog := time.AfterFunc(watchdog, func() { _ = p.Process.Kill() })
	said, err := bufio.NewReader(stdout).ReadString('\n')
	dog.Stop()
	go func() {
		_ = p.Wait() // its ProcessState says more
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	if want := fmt.Sprintf("serving \"echo\", process %d\n", p.Process.Pid); said != want {
		t.Fatalf("it prints %q, %v; want %q", said, err, want)
	}
	conn, err := call.Dial(t.Context(), echo.Service, call.Expect(echo.Sleep))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return p, conn
}

func sumIs42(t *testing.T, conn *call.Conn) {
	t.Helper()
	if got, err := echo.Sum.Call(t.Context(), conn, echo.Pair{A: 40, B: 2}); err != nil || got.Sum != 42 {
		t.Fatalf("40 + 2 = %d, %v", got.Sum, err)
	}
}

// endsInOrder checks how a server went that was told to.
func (p *program) endsInOrder() {
	p.t.Helper()
	if status := p.end(); status != 0 || p.stderr.Len() > 0 {
		p.t.Errorf("exit status %d, it says %q", status, &p.stderr)
	}
	p.leavesNothing()
}

func TestServeSignals(t *testing.T) {
	catch(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			p, conn := startEcho(t, "", "")
			sumIs42(t, conn)
			p.signal(p.Process.Pid, s)
			p.endsInOrder()
			<-conn.Done()
			if err := conn.Err(); !errors.Is(err, partywall.ErrShutdown) {
				t.Errorf("the client's conn: %v", err)
			}
		})
	}
}

// A program that nohup(1) has started outlives its terminal.
func TestServeNoHangup(t *testing.T) {
	catch(t)
	p, conn := startEcho(t, "", `trap "" HUP; `)
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		sumIs42(t, conn)
		p.signal(p.Process.Pid, s)
	}
	p.endsInOrder()
}

// sleeping begins a call that takes an hour, and returns when its handler runs.
func sleeping(t *testing.T, conn *call.Conn) *call.Pending[struct{}] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	t.Cleanup(cancel)
	pending := echo.Sleep.Go(ctx, conn, echo.Pause{Milliseconds: 3_600_000})
	for deadline := time.Now().Add(watchdog); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if d, err := conn.Describe(t.Context()); err != nil {
			t.Fatal(err)
		} else if d.InFlight > 0 {
			return pending
		}
	}
	t.Fatal("the handler does not run")
	return nil
}

// A call that goes on for too long does not keep the server.
func TestServePatience(t *testing.T) {
	catch(t)
	p, conn := startEcho(t, "20ms", "")
	pending := sleeping(t, conn)
	p.signal(p.Process.Pid, syscall.SIGTERM)
	p.endsInOrder()
	if _, err := pending.Wait(); err == nil {
		t.Error("an hour has gone by")
	}
}

// Who sends a second signal does not wait for calls.
func TestServeSecondSignal(t *testing.T) {
	catch(t)
	p, conn := startEcho(t, "1h", "")
	pending := sleeping(t, conn)
	p.signal(p.Process.Pid, syscall.SIGTERM)
	deadline := time.Now().Add(watchdog)
	for ; ; time.Sleep(time.Millisecond) {
		c, err := call.Dial(t.Context(), echo.Service)
		if errors.Is(err, partywall.ErrNotFound) {
			break // it is ending
		}
		if err == nil {
			c.Close()
		}
		if time.Now().After(deadline) {
			t.Fatal("the name is not free")
		}
	}
	// The second may come too early to count as one.
	for ended := false; !ended; {
		_ = syscall.Kill(p.Process.Pid, syscall.SIGTERM)
		select {
		case <-p.ended:
			ended = true
		case <-time.After(10 * time.Millisecond):
			ended = time.Now().After(deadline)
		}
	}
	if status := p.end(); status != -1 {
		t.Errorf("exit status %d, want a death by the signal", status)
	}
	if _, err := pending.Wait(); !errors.Is(err, partywall.ErrPeerGone) {
		t.Error(err)
	}
	p.leavesNothing()
}

// Who is interrupted while an argument is read does not wait for its end.
func TestCallReadsForever(t *testing.T) {
	catch(t)
	for _, args := range [][]string{{"call", "echo", "sum", "-"}, {"call", "echo", "reverse", "--body", "-"}} {
		binary, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(binary, args...)
		cmd.Env = append(os.Environ(), mainVariable+"=1")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		dog := time.AfterFunc(watchdog, func() { _ = cmd.Process.Kill() })
		// More than a pipe holds, pipe(7): when it is written, somebody reads.
		if _, err := in.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%q: %v", args, cmd.ProcessState)
		}
		dog.Stop()
	}
}
