package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/wait"
	"github.com/partywall/partywall/winmsg"
)

const benchMessage = winmsg.User + 100

// benchTitle is the title of the window of the server process with that id.
func benchTitle(pid int) winmsg.Option {
	return winmsg.Title(fmt.Sprintf("partywall bench invoke %d", pid))
}

// measure starts the server process and compares the ways to it.
func (b *benchInvoke) measure(ctx context.Context) (report *invokeBench, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := privateDir()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, removeDir(dir)) }()
	server, err := spawn(ctx, exec.Command(program, "bench", "serve-child-invoke"))
	if err != nil {
		return nil, err
	}
	report, err = b.measureServer(ctx, server)
	return report, server.stop(err)
}

func (b *benchInvoke) measureServer(ctx context.Context, server *child) (*invokeBench, error) {
	title := benchTitle(server.pid())
	window, err := winmsg.Find(ctx, title)
	if err != nil {
		return nil, err
	}
	defer window.Close()
	if window.PID() != server.pid() {
		return nil, errors.New("another process than the one started has the window")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", server.ready)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	called, err := call.Dial(ctx, childService, call.Expect(pairMethod))
	if err != nil {
		return nil, err
	}
	defer called.Close()
	return b.compare(ctx, ways{nine: nineSteps(title), cached: invokeWay(window), tcp: tcpWay(conn), call: callWay(called)})
}

// nineSteps keeps nothing from one request to the next.
func nineSteps(title winmsg.Condition) way {
	return func(ctx context.Context, n uint64) (took, finding time.Duration, err error) {
		pair := pairOf(n)
		start := wait.Now()
		window, err := winmsg.Find(ctx, title)
		found := wait.Now()
		if err != nil {
			return 0, 0, err
		}
		answer, err := winmsg.Invoke(ctx, window, benchMessage, &pair)
		err = errors.Join(err, window.Close())
		return wait.Now() - start, found - start, verify(n, pair, answer, err)
	}
}

func invokeWay(window *winmsg.Window) way {
	return func(ctx context.Context, n uint64) (took, finding time.Duration, err error) {
		pair := pairOf(n)
		start := wait.Now()
		answer, err := winmsg.Invoke(ctx, window, benchMessage, &pair)
		return wait.Now() - start, 0, verify(n, pair, answer, err)
	}
}

func tcpWay(conn net.Conn) way {
	var data [16]byte
	return func(_ context.Context, n uint64) (took, finding time.Duration, err error) {
		pair := pairOf(n)
		start := wait.Now()
		pair.store(data[:])
		if _, err = conn.Write(data[:]); err == nil {
			_, err = io.ReadFull(conn, data[:])
		}
		pair = loadPair(data[:])
		return wait.Now() - start, 0, verify(n, pair, 0, err)
	}
}

var pairMethod = call.NewMethod[invokePair, invokePair]("pair")

func callWay(conn *call.Conn) way {
	return func(ctx context.Context, n uint64) (took, finding time.Duration, err error) {
		pair := pairOf(n)
		start := wait.Now()
		pair, err = pairMethod.Call(ctx, conn, pair)
		return wait.Now() - start, 0, verify(n, pair, 0, err)
	}
}

// invokePair is what travels.
type invokePair struct{ Left, Right uint64 }

func pairOf(n uint64) invokePair { return invokePair{n, ^n} }

// masked is what the server makes of it.
func (p invokePair) masked() invokePair { return invokePair{p.Left ^ mask, p.Right ^ mask} }

func verify(n uint64, got invokePair, answer uintptr, err error) error {
	if err == nil && (answer != 0 || got != pairOf(n).masked()) {
		return errWrong
	}
	return err
}

func (p invokePair) store(data []byte) {
	binary.LittleEndian.PutUint64(data, p.Left)
	binary.LittleEndian.PutUint64(data[8:], p.Right)
}

func loadPair(data []byte) invokePair {
	return invokePair{binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])}
}

// serveInvoke has a window that nobody sees, listens on loopback, and serves calls. All end with the process.
func serveInvoke(in io.Reader, out io.Writer) error {
	window, err := winmsg.NewWindow(benchTitle(os.Getpid()))
	if err != nil {
		return err
	}
	winmsg.Handle(window, benchMessage, func(p *invokePair) uintptr {
		*p = p.masked()
		return 0
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go echoMasked(conn)
		}
	}()
	srv, err := call.Listen(childService)
	if err != nil {
		return err
	}
	pairMethod.Handle(srv, func(_ context.Context, in *call.In[invokePair], out *call.Out[invokePair]) error {
		out.Result = in.Arg.masked()
		return nil
	})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background()) }()
	if _, err := fmt.Fprintf(out, readyFormat, listener.Addr().String()); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in)
	return errors.Join(srv.Close(), <-served)
}

func echoMasked(conn net.Conn) {
	defer conn.Close()
	var data [16]byte
	for {
		if _, err := io.ReadFull(conn, data[:]); err != nil {
			return
		}
		loadPair(data[:]).masked().store(data[:])
		if _, err := conn.Write(data[:]); err != nil {
			return
		}
	}
}
