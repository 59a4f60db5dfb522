package pe

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

func init() { roles["user"] = user }

// A library is a DLL that this process has loaded.
type library struct{ handle syscall.Handle }

func load(path string) (*library, error) {
	h, err := syscall.LoadLibrary(path)
	return &library{h}, err
}

// call calls an export. The argument is passed as an integer and as a float, and both kinds
// of results are returned.
func (l *library) call(name string, args ...uintptr) (integer, float uintptr, err error) {
	p, err := syscall.GetProcAddress(l.handle, name)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", name, err)
	}
	integer, float, _ = syscall.SyscallN(p, args...)
	return integer, float, nil
}

// data returns an exported variable in place.
func (l *library) data(name string, size int) ([]byte, error) {
	p, err := syscall.GetProcAddress(l.handle, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return bytesAt(p, size), nil
}

// user loads a DLL and does with it what it is told.
func user(args []string) error {
	l, err := load(args[0])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for s := bufio.NewScanner(os.Stdin); s.Scan(); {
		words := strings.Fields(s.Text())
		switch {
		case len(words) >= 2 && words[0] == "call":
			var args []uintptr
			for _, w := range words[2:] {
				n, err := strconv.ParseUint(w, 0, 64)
				if err != nil {
					return err
				}
				args = append(args, uintptr(n))
			}
			integer, float, err := l.call(words[1], args...)
			if err != nil {
				return err
			}
			fmt.Println("result", uint64(integer), uint64(float))
		case len(words) == 4 && words[0] == "data": // NAME SIZE OFFSET
			size, _ := strconv.Atoi(words[2])
			off, _ := strconv.Atoi(words[3])
			b, err := l.data(words[1], size)
			if err != nil {
				return err
			}
			fmt.Println("bytes", hex.EncodeToString(b[off:min(size, off+64)]))
		case len(words) == 4 && words[0] == "poke": // NAME OFFSET HEX
			off, _ := strconv.Atoi(words[2])
			with, _ := hex.DecodeString(words[3])
			b, err := l.data(words[1], off+len(with))
			if err != nil {
				return err
			}
			copy(b[off:], with)
			fmt.Println("done")
		default:
			return errors.New("what is " + s.Text())
		}
	}
	return nil
}

func startUser(t *testing.T, path string) *proctest.Process {
	t.Helper()
	p := proctest.Start(t, "user", path)
	p.Expect("ready")
	return p
}

// called calls a function in the process.
func called(p *proctest.Process, name string, args ...uint64) (integer, float uint64) {
	p.Say("call %s %s", name, strings.Trim(fmt.Sprint(args), "[]"))
	fmt.Sscan(p.Expect("result"), &integer, &float)
	return integer, float
}

func bytesOf(p *proctest.Process, name string, size, off int) string {
	p.Say("data %s %d %d", name, size, off)
	return p.Expect("bytes")
}

// cUser is the C program of testdata with a DLL loaded.
type cUser struct {
	t     *testing.T
	in    *os.File
	lines chan string
}

func startC(t *testing.T, dll string) *cUser {
	t.Helper()
	dir := os.Getenv("PARTYWALL_C_PEERS")
	if dir == "" {
		t.Fatal("PARTYWALL_C_PEERS is not set: scripts/test-windows.sh builds the C program that this test talks to and says so there")
	}
	cmd := exec.Command(filepath.Join(dir, "section-user.exe"), dll,
		"int32:int32:get_int32:set_int32", "uint64:uint64:get_uint64:set_uint64", "double:double:get_float64:set_float64")
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
	u := &cUser{t: t, in: w, lines: make(chan string, 100)}
	go func() {
		defer close(u.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			u.lines <- strings.TrimSpace(s.Text())
		}
	}()
	t.Cleanup(func() {
		w.Close() // its end
		for range u.lines {
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("section-user: %v", err)
		}
	})
	u.expect("ready")
	return u
}

// ask sends a line, and returns the answer without its prefix.
func (u *cUser) ask(line, prefix string) string {
	u.t.Helper()
	if _, err := fmt.Fprintln(u.in, line); err != nil {
		u.t.Fatal(err)
	}
	return u.expect(prefix)
}

func (u *cUser) expect(prefix string) string {
	u.t.Helper()
	select {
	case line, ok := <-u.lines:
		rest, found := strings.CutPrefix(line, prefix)
		if !ok || !found {
			u.t.Fatalf("section-user says %q, want %q", line, prefix)
		}
		return rest
	case <-time.After(proctest.Watchdog):
		u.t.Fatalf("section-user does not say %q", prefix)
	}
	return ""
}
