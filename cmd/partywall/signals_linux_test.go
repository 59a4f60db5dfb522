package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is the command as a process, in a process group and a temporary directory of
// its own.
type program struct {
	*exec.Cmd
	t              *testing.T
	tmp            string
	stdout, stderr bytes.Buffer
	ended          chan struct{}
}

func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: exec.Command(binary, args...), t: t, tmp: t.TempDir(), ended: make(chan struct{})}
	p.Env = append(os.Environ(), mainVariable+"=1", "TMPDIR="+p.tmp)
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait() // its ProcessState says more
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
		<-p.ended
	})
	return p
}

// server waits until the server process listens, and returns its process id.
func (p *program) server() int {
	p.t.Helper()
	for deadline := time.Now().Add(watchdog); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if sockets, _ := filepath.Glob(filepath.Join(p.tmp, "*", "run", "*.sock")); len(sockets) == 0 {
			continue
		}
		for _, other := range processesIn(p.tmp) {
			if strings.Contains(other.command, "serve-child") {
				return other.pid
			}
		}
	}
	p.t.Fatal("the server process does not listen")
	return 0
}

func (p *program) signal(pid int, s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the end and returns the exit status, -1 if a signal was the end.
func (p *program) end() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(watchdog):
		p.t.Fatal("the command does not end")
	}
	return p.ProcessState.ExitCode()
}

func (p *program) leavesNothing() {
	p.t.Helper()
	if left := left(p.tmp); len(left) > 0 {
		p.t.Errorf("left behind: %s", strings.Join(left, ", "))
	}
}

var long = [][]string{
	{"bench", "call", "--duration", "1h"},
	{"bench", "call", "--duration", "1h", "--goroutines", "100", "--size", "5000"},
	{"bench", "call", "--duration", "1h", "--rate", "0.01"},
	{"demo", "--width", "5000", "--height", "3000", "-o", "difference.png"},
}

// catch makes sure that programs started by the test do not inherit signals that
// this process was started to ignore, as nohup does: what a process catches, its
// children take as they come.
func catch(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(caught) })
}

func TestSignalEndsInOrder(t *testing.T) {
	catch(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, args := range long {
			t.Run(s.String()+"/"+strings.Join(args, "_"), func(t *testing.T) {
				t.Chdir(t.TempDir())
				p := startProgram(t, args...)
				p.server()
				p.signal(p.Process.Pid, s)
				if status := p.end(); status != 1 {
					t.Errorf("exit status %d, want 1", status)
				}
				if got, want := p.stderr.String(), "partywall: interrupted\n"; got != want {
					t.Errorf("it says %q, want %q", got, want)
				}
				if p.stdout.Len() > 0 {
					t.Errorf("it prints %s", &p.stdout)
				}
				p.leavesNothing()
				if files := filesIn("."); len(files) > 0 {
					t.Errorf("left behind: %q", files)
				}
			})
		}
	}
}

// A terminal sends its signals to both processes; an impatient user sends two.
func TestSignalToBoth(t *testing.T) {
	catch(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP} {
		for _, times := range []int{1, 2} {
			p := startProgram(t, long[0]...)
			p.server()
			for range times {
				p.signal(-p.Process.Pid, s)
			}
			if status := p.end(); times == 1 && status != 1 {
				t.Errorf("%v: exit status %d, want 1", s, status)
			}
			p.leavesNothing()
		}
	}
}

// The server process notices that the other one is gone, and tidies up.
func TestKilled(t *testing.T) {
	for _, args := range long {
		t.Run(strings.Join(args, "_"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			p := startProgram(t, args...)
			p.server()
			p.signal(p.Process.Pid, syscall.SIGKILL)
			p.end()
			p.leavesNothing()
		})
	}
}

func TestServerKilled(t *testing.T) {
	p := startProgram(t, long[0]...)
	p.signal(p.server(), syscall.SIGKILL)
	if status := p.end(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	if got, want := p.stderr.String(), "partywall: the server process failed: signal: killed\n"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	p.leavesNothing()
}

func TestServerTold(t *testing.T) {
	p := startProgram(t, long[0]...)
	p.signal(p.server(), syscall.SIGTERM)
	if status := p.end(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	if got := p.stderr.String(); strings.Count(got, "\n") != 1 {
		t.Errorf("it says %q, want one line", got)
	}
	p.leavesNothing()
}
