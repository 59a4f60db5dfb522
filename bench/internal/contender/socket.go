package contender

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
)

// socket is a Unix stream socket with framing by hand: four bytes of length, and the message. Each
// goroutine has a connection of its own, and so no lock and no queue.
type socket struct{}

const (
	lengthBytes = 4

	// gathered is up to which size a message is copied behind its length and written at once. A longer
	// one is written by writev(2).
	gathered = 64 << 10
)

// unixListen is used by the other contenders that speak over a Unix socket, too.
func unixListen(dir string) (net.Listener, error) {
	return net.Listen("unix", filepath.Join(dir, "socket"))
}

// closeWith closes l when ctx ends, and returns a function that ends the waiting for that.
func closeWith(ctx context.Context, l io.Closer) (stop func() bool) {
	return context.AfterFunc(ctx, func() { l.Close() })
}

// acceptEach gives each connection to serve, on a goroutine, until ctx ends.
func acceptEach(ctx context.Context, l net.Listener, serve func(net.Conn)) error {
	defer closeWith(ctx, l)()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		all.Go(func() {
			defer c.Close()
			defer closeWith(ctx, c)()
			serve(c)
		})
	}
}

func (socket) Serve(ctx context.Context, dir string, ready func(string)) error {
	l, err := unixListen(dir)
	if err != nil {
		return err
	}
	ready(l.Addr().String())
	return acceptEach(ctx, l, func(c net.Conn) {
		f := newFramed(c)
		var message []byte
		for {
			n, err := f.length()
			if err != nil || n > MaxSize {
				return
			}
			message = slices.Grow(message[:0], n)[:n]
			if _, err := io.ReadFull(f.in, message); err != nil {
				return
			}
			Answer(message, message)
			if f.send(message) != nil {
				return
			}
		}
	})
}

func (socket) Dial(_ context.Context, address string) (Conn, error) {
	return &socketConn{address: address}, nil
}

type socketConn struct {
	address string
	mu      sync.Mutex
	open    []net.Conn
}

func (s *socketConn) Caller(size int) (Caller, error) {
	c, err := net.Dial("unix", s.address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.open = append(s.open, c)
	s.mu.Unlock()
	return newFramed(c), nil
}

func (s *socketConn) Close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		err = errors.Join(err, c.Close())
	}
	s.open = nil
	return err
}

// framed sends and receives messages over a connection.
type framed struct {
	conn   net.Conn
	in     *bufio.Reader
	out    []byte      // a short message with its length in front
	pieces net.Buffers // a longer one
	both   [2][]byte
	head   [lengthBytes]byte
}

func newFramed(c net.Conn) *framed {
	return &framed{conn: c, in: bufio.NewReaderSize(c, 16<<10)}
}

func (f *framed) send(message []byte) error {
	binary.LittleEndian.PutUint32(f.head[:], uint32(len(message)))
	if len(message) <= gathered {
		f.out = append(append(f.out[:0], f.head[:]...), message...)
		_, err := f.conn.Write(f.out)
		return err
	}
	f.both = [2][]byte{f.head[:], message}
	f.pieces = f.both[:]
	_, err := f.pieces.WriteTo(f.conn)
	return err
}

func (f *framed) length() (int, error) {
	head, err := f.in.Peek(lengthBytes)
	if err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(head)
	_, err = f.in.Discard(lengthBytes)
	return int(n), err
}

func (f *framed) Call(_ context.Context, arg, result []byte) error {
	if err := f.send(arg); err != nil {
		return err
	}
	n, err := f.length()
	if err != nil {
		return err
	}
	if n != len(result) {
		return fmt.Errorf("an answer of %d bytes", n)
	}
	_, err = io.ReadFull(f.in, result)
	return err
}
