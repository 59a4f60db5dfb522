package call_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func init() {
	call.RegisterRole("access limited client", limitedClient)
	call.RegisterRole("access limited server", limitedServer)
}

// A limiter sets resource limits of this process, and sets them back.
type limiter struct {
	files, size syscall.Rlimit
	fillers     []int
}

func newLimiter() (l limiter, err error) {
	err = errors.Join(
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l.files),
		syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l.size))
	return l, err
}

// allowFiles leaves the process n unused descriptors.
func (l *limiter) allowFiles(n uint64) error {
	highest := 0
	for {
		fd, err := syscall.Dup(0)
		if err != nil {
			return err
		}
		l.fillers = append(l.fillers, fd)
		if fd == highest+1 && highest > 0 { // twice in a row: there are no gaps below
			break
		}
		highest = fd
	}
	limit := l.files
	limit.Cur = uint64(highest) + 2 + n
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// allowSize bounds the files that the process makes, of which shared memory is one.
func (l *limiter) allowSize(n uint64) error {
	limit := l.size
	limit.Cur = n
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}

func (l *limiter) restore() error {
	for _, fd := range l.fillers {
		_ = syscall.Close(fd)
	}
	l.fillers = nil
	return errors.Join(
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l.files),
		syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l.size))
}

// limitedClient tries, line by line of its standard input, what a client does
// within limits, and says how that went.
func limitedClient([]string) error {
	limits, err := newLimiter()
	if err != nil {
		return err
	}
	conn, err := call.Dial(context.Background(), accessName, call.Expect(askM))
	if err != nil {
		return err
	}
	defer conn.Close()
	id := uint64(0)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var n uint64
		verb, number, _ := strings.Cut(lines.Text(), " ")
		if number != "" {
			if n, err = strconv.ParseUint(number, 10, 64); err != nil {
				return err
			}
		}
		switch id++; verb {
		case "files":
			err = limits.allowFiles(n)
		case "size":
			err = limits.allowSize(n)
		case "restore":
			err = limits.restore()
		case "dial":
			var c *call.Conn
			if c, err = call.Dial(context.Background(), accessName, call.Expect(askM)); err == nil {
				c.Close()
			}
		case "ask":
			err = askWithBody(conn, id, n)
		case "held":
			fds, _ := os.ReadDir("/proc/self/fd")
			fmt.Println(len(fds))
			continue
		}
		fmt.Println(describe(err))
	}
	return nil
}

// askWithBody asks with a body of n bytes, and none for 0.
func askWithBody(c *call.Conn, id, n uint64) error {
	q := question{ID: id, Body: n, Reply: n}
	if n == 0 {
		got, err := askM.Call(context.Background(), c, q)
		if err == nil && got.Mixed != mix(id) {
			err = errors.New("wrong")
		}
		return err
	}
	body := make([]byte, n)
	write(body, id)
	_, got, err := askM.CallBody(context.Background(), c, q, body, make([]byte, 0, n))
	if err != nil {
		return err
	}
	return checkWritten("the result's body", got, ^id, n)
}

// limitedServer serves within the limits that its standard input sets. What it
// complains of is on its standard output.
func limitedServer([]string) error {
	limits, err := newLimiter()
	if err != nil {
		return err
	}
	srv, err := call.Listen(accessName, call.OnError(func(err error) { fmt.Println("complains:", describe(err)) }))
	if err != nil {
		return err
	}
	askM.Handle(srv, (&ledger{wrong: wrongInRole, seen: map[uint64]struct{}{}}).answer)
	go func() {
		defer srv.Close()
		fmt.Println("serving")
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			var err error
			switch lines.Text() {
			case "files":
				err = limits.allowFiles(0)
			case "size":
				err = limits.allowSize(64 << 10)
			case "restore":
				err = limits.restore()
			}
			fmt.Println("limits:", describe(err))
		}
	}()
	return srv.Serve(context.Background())
}

// A client that has run out of descriptors, or may not make files as large as a
// body, is told so, and goes on once it may again.
func TestAccessLimitedClient(t *testing.T) {
	runDir(t)
	serveAccess(t)
	p := proctest.Start(t, "access limited client")
	do := func(what string) string { t.Helper(); p.Say("%s", what); return p.Line() }
	want := func(what, prefix string) {
		t.Helper()
		got := do(what)
		t.Logf("%s: %s", what, got)
		if !strings.HasPrefix(got, prefix) {
			t.Errorf("%s: %s; want %s", what, got, prefix)
		}
	}
	want("ask 1000", "ok") // lends a region, which stays warm
	held := do("held")

	want("files 0", "ok")
	want("dial", "EMFILE ")
	want("ask 1000000", "EMFILE ")
	want("ask 0", "ok")
	want("ask 1000", "ok")
	want("restore", "ok")
	want("dial", "ok")
	for n := range 6 { // run out at each of the steps
		want(fmt.Sprintf("files %d", n), "ok")
		if got := do("dial"); got != "ok" && !strings.HasPrefix(got, "EMFILE ") {
			t.Errorf("dialling with %d descriptors left: %s", n, got)
		}
		want("restore", "ok")
	}
	if got := do("held"); got != held {
		t.Errorf("it holds %s descriptors, and %s before", got, held)
	}
	want("ask 1000000", "ok")

	want("size 65536", "ok")
	want("ask 10000000", "EFBIG ")
	want("ask 1000", "ok")
	want("restore", "ok")
	want("ask 10000000", "ok")
}

// A server that has run out of descriptors keeps what it has, and serves new
// clients once it may again.
func TestAccessLimitedServer(t *testing.T) {
	runDir(t)
	p := proctest.Start(t, "access limited server")
	p.Expect("serving")
	c, err := call.Dial(t.Context(), accessName, call.Expect(askM))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	limit := func(what string) {
		t.Helper()
		p.Say("%s", what)
		if got := p.Expect("limits:"); got != "ok" {
			t.Fatalf("%s: %s", what, got)
		}
	}

	limit("files")
	var meanwhile *call.Conn
	dialled := make(chan error, 1)
	go func() {
		var err error
		meanwhile, err = call.Dial(context.Background(), accessName, call.Expect(askM))
		dialled <- err
	}()
	if got := p.Expect("complains:"); !strings.HasPrefix(got, "EMFILE ") {
		t.Errorf("the server says: %s", got)
	}
	if err := askWithBody(c, math.MaxUint64, 0); err != nil {
		t.Errorf("a client that was there before: %v", err)
	}
	limit("restore")
	if err := <-dialled; err != nil {
		t.Fatalf("a client that came meanwhile: %v", err)
	}
	defer meanwhile.Close() // not before: the server would have its descriptor back at some moment

	limit("files")
	lendErr := askWithBody(c, math.MaxUint64-1, 1000)
	t.Logf("lending to a server without descriptors: %v", lendErr)
	if !errors.Is(lendErr, partywall.ErrBusy) || !strings.Contains(lendErr.Error(), "too many open files") {
		t.Errorf("lending to a server without descriptors: %v", lendErr)
	}
	limit("restore")
	if err := askWithBody(c, math.MaxUint64-3, 1000); err != nil {
		t.Errorf("lending to the server once it has descriptors again: %v", err)
	}

	limit("size")
	late, err := call.Dial(t.Context(), accessName)
	t.Logf("dialling a server that may not make large files: %v", err)
	if !errors.Is(err, partywall.ErrBusy) || !strings.Contains(err.Error(), "file too large") {
		t.Errorf("dialling a server that may not make large files: %v, %v", late, err)
	}
	limit("restore")
	again, err := call.Dial(t.Context(), accessName, call.Expect(askM))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := askWithBody(again, math.MaxUint64-2, 1000); err != nil {
		t.Errorf("after all that: %v", err)
	}
}
