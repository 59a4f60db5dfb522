package winmsg

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

func TestMain(m *testing.M) {
	proctest.Main(m, proctest.Roles{"server": serve, "pressed": pressed, "post": post})
}

// myInfo is the struct of the old contract.
type myInfo struct{ Red, Blue float64 }

const (
	compareImage = User + 100
	crash        = User + 101
	echoBytes    = User + 102
	inPlace      = User + 103
	freed        = User + 104
	nap          = User + 105
)

// serve is a server written with this package, in a process of its own. It says "ready" and
// the window's handle, and ends when its input does.
func serve(args []string) error {
	w, err := NewWindow(Title(args[0]), OnError(func(err error) {
		line, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Println("error", line)
	}))
	if err != nil {
		return err
	}
	Handle(w, compareImage, func(i *myInfo) uintptr {
		fmt.Printf("client:red=%.2f,blue=%.2f\n", i.Red, i.Blue)
		*i = myInfo{Red: 2, Blue: 1}
		return 0
	})
	Handle(w, crash, func(*myInfo) uintptr { panic("what now?") })
	HandleBytes(w, echoBytes, 4<<20, func(data []byte) uintptr {
		copy(data, bytes.ToUpper(data))
		return uintptr(len(data))
	})
	HandleInPlace(w, inPlace, func(i *myInfo) uintptr {
		i.Red, i.Blue = i.Blue, i.Red
		return 7
	})
	HandleInPlace(w, freed, func(i *myInfo) uintptr {
		fmt.Println("inside")
		for end := time.Now().Add(proctest.Watchdog); time.Now().Before(end); {
			i.Red++ // until it is gone
		}
		return 0
	})
	w.HandleMessage(nap, func(ms, _ uintptr) uintptr {
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return ms
	})
	w.HandleCopyData(func(c CopyData) uintptr {
		from, err := Open(c.From)
		if err != nil {
			return 0
		}
		defer from.Close()
		ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
		defer cancel()
		n, err := from.SendCopyData(ctx, w, c.Tag+1, bytes.ToUpper(c.Data))
		if err != nil {
			fmt.Println("error", err)
		}
		return n
	})
	fmt.Println("ready", w.Handle())
	io.Copy(io.Discard, os.Stdin)
	return w.Close()
}

// startServer starts the server and opens its window.
func startServer(t *testing.T) (*proctest.Process, *Window) {
	t.Helper()
	p := proctest.Start(t, "server", t.Name())
	return p, openPrinted(t, p.Expect("ready "), 10)
}

func openPrinted(t *testing.T, printed string, base int) *Window {
	t.Helper()
	handle, err := strconv.ParseUint(strings.Fields(printed)[0], base, 64)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Open(uintptr(handle))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// cPeer returns the path of a C program of testdata.
func cPeer(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("PARTYWALL_C_PEERS")
	if dir == "" {
		t.Fatal("PARTYWALL_C_PEERS is not set: scripts/test-windows.sh builds the C programs that this test talks to and says so there")
	}
	return filepath.Join(dir, name+".exe")
}

// cServer is the C server of testdata.
type cServer struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    *os.File
	lines chan string
}

func startC(t *testing.T, title string) (*cServer, *Window) {
	t.Helper()
	cmd := exec.Command(cPeer(t, "compare-server"), title)
	cmd.Stderr = os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = r
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	s := &cServer{t: t, cmd: cmd, in: w, lines: make(chan string, 1<<16)}
	go func() {
		defer close(s.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			s.lines <- strings.TrimRight(in.Text(), "\r")
		}
	}()
	t.Cleanup(func() {
		w.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return s, openPrinted(t, strings.TrimPrefix(s.expect("ready "), "0x"), 16)
}

func (s *cServer) say(line string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		s.t.Fatal(err)
	}
}

// expect reads lines until one has the prefix, and returns the rest of it.
func (s *cServer) expect(prefix string) string {
	s.t.Helper()
	timeout := time.After(proctest.Watchdog)
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				s.t.Fatalf("the C server has ended before it said %q", prefix)
			}
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return rest
			}
		case <-timeout:
			s.t.Fatalf("the C server does not say %q", prefix)
		}
	}
}

// runC runs the C client against a title and returns what it prints.
func runC(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(cPeer(t, "compare-client"), args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("compare-client %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(strings.ReplaceAll(string(out), "\r", ""))
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
