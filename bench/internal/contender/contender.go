// Package contender holds the ways in which two processes can exchange bytes, one per file, each
// with its server and its client behind the same two interfaces.
//
// All servers do the same work, [Answer]: they read every byte of the request and write every
// byte of an answer of the same size. All clients write the request from memory of their own and
// have the answer in memory of their own when Call returns.
package contender

import (
	"context"
	"slices"
)

// MaxSize is the longest message, in bytes, that every contender carries.
const MaxSize = 16 << 20

// A Contender is one way in which two processes exchange bytes.
type Contender interface {
	// Serve answers requests until ctx ends. Its files go below dir. It calls ready once, when
	// clients can dial, with the address for them.
	Serve(ctx context.Context, dir string, ready func(address string)) error

	// Dial connects to the server at the address. It runs in another process, unless the
	// contender is one within a process.
	Dial(ctx context.Context, address string) (Conn, error)
}

// A Conn is what a client process shares among its goroutines.
type Conn interface {
	// Caller returns a Caller for one goroutine and for messages of that many bytes.
	Caller(size int) (Caller, error)

	// Close ends the conn and its callers.
	Close() error
}

// A Caller makes one request after another.
type Caller interface {
	// Call sends arg, and puts the answer into result. Both have the size that the Caller was
	// made for. It is for one goroutine.
	Call(ctx context.Context, arg, result []byte) error
}

// A CallerFunc is a Caller that is just a function.
type CallerFunc func(ctx context.Context, arg, result []byte) error

// Call calls f.
func (f CallerFunc) Call(ctx context.Context, arg, result []byte) error { return f(ctx, arg, result) }

// local is what a contender implements that has no server process.
type local interface{ local() }

// apart is what a contender implements whose server is a program of its own.
type apart interface{ program() string }

// An Entry says what a contender is called.
type Entry struct {
	Name  string // for flags and JSON
	Title string // for people
	Contender
}

// InProcess reports whether the contender is a reference within one process.
func (e Entry) InProcess() bool {
	_, ok := e.Contender.(local)
	return ok
}

// Program returns the package of the server's program, or nothing if it is this program.
func (e Entry) Program() string {
	if a, ok := e.Contender.(apart); ok {
		return a.program()
	}
	return ""
}

// Names of contenders that are spoken of elsewhere.
const (
	PartywallCall  = "partywall"
	PartywallLease = "lease"
	Socket         = "socket"
	GRPC           = "grpc"
	NATS           = "nats"
	Dispatcher     = "dispatcher"
)

// All returns the contenders that are written in Go.
func All() []Entry {
	return []Entry{
		{PartywallCall, "partywall Call", partywallCall{}},
		{PartywallLease, "partywall Lease", partywallLease{}},
		{Socket, "raw Unix socket", socket{}},
		{"netrpc", "net/rpc", netRPC{}},
		{GRPC, "gRPC", gRPC{}},
		{NATS, "NATS", natsBroker{}},
		{Dispatcher, "in-process dispatcher", dispatcher{}},
	}
}

// Find returns the contender of that name.
func Find(name string) (Entry, bool) {
	all := All()
	i := slices.IndexFunc(all, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, false
	}
	return all[i], true
}
