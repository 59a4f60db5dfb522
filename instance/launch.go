package instance

import (
	"bytes"
	"fmt"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

const (
	// MaxPayload is the longest [Payload], in bytes.
	MaxPayload = 1 << 20

	// MaxArgs bounds a launch's arguments, its environment entries and its directory
	// together: the sum of their lengths in bytes, and [EntryCost] for each. It is more
	// than what Linux lets a program have (execve(2)), and Windows (32,767 characters).
	MaxArgs = 6 << 20

	// EntryCost is what each argument and each entry of the environment counts towards
	// [MaxArgs], beside its length.
	EntryCost = 9
)

// A Launch is what a later process has handed over. It is a copy of this process's own.
//
// It comes from another process of the same user, who may have put anything into it: a
// program that opens files because a launch says so checks their names as it would check
// what it is told on its command line.
type Launch struct {
	// Args are the arguments, without the program's name, byte for byte: blanks,
	// quotes and empty ones are as they were, and on Linux, where an argument may be any
	// bytes, they need not be UTF-8.
	Args []string

	// Dir is the working directory, to which relative file names in Args belong. It is
	// empty if the sender's was not to be found out.
	Dir string

	// Env has the variables that the sender's [Env] asked for and that were set there,
	// each as "NAME=value".
	Env []string

	// Payload is what the sender's [Payload] gave.
	Payload []byte

	// From is the process that was launched, by the kernel's word. It will probably have
	// ended soon.
	From call.Peer
}

// message is a launch on its way. All is bytes, since a text in a document is UTF-8 and
// an argument need not be.
type message struct {
	Args    [][]byte `json:"args,omitempty"`
	Dir     []byte   `json:"dir,omitempty"`
	Env     [][]byte `json:"env,omitempty"`
	Payload []byte   `json:"payload,omitempty"`
}

// verdict is the answer to a message.
type verdict struct{ Outcome uint32 }

const (
	taken  = 1 // the loop has it
	ending = 2 // it has not, and nobody will
)

// deliver is the one method of an instance.
var deliver = call.NewMethod[message, verdict]("launch")

// quota has room for the longest message that keeps the limits: [EntryCost] is what
// CBOR needs for a length.
const quota = 8 << 20

// check finds out whether the limits are kept.
func (m *message) check() error {
	if n := len(m.Payload); n > MaxPayload {
		return fmt.Errorf("%w: a payload of %d bytes; at most %d can be handed over", partywall.ErrTooLarge, n, MaxPayload)
	}
	args, env := cost(m.Args), cost(m.Env)
	if all := args + env + len(m.Dir); all > MaxArgs {
		return fmt.Errorf("%w: %d arguments take %d bytes, %d environment entries %d and the directory %d, each entry with %d more; at most %d together can be handed over",
			partywall.ErrTooLarge, len(m.Args), args, len(m.Env), env, len(m.Dir), EntryCost, MaxArgs)
	}
	return nil
}

func cost(entries [][]byte) (bytes int) {
	for _, e := range entries {
		bytes += len(e) + EntryCost
	}
	return bytes
}

// launch checks what another process has sent, and makes it a launch of this one's.
func (m *message) launch(from call.Peer) (Launch, error) {
	if err := m.check(); err != nil {
		return Launch{}, err
	}
	for i, e := range m.Env {
		if name, _, ok := bytes.Cut(e, []byte("=")); !ok || len(name) == 0 || bytes.IndexByte(e, 0) >= 0 {
			return Launch{}, fmt.Errorf("environment entry %d of %d is not NAME=value", i, len(m.Env))
		}
	}
	return Launch{Args: texts(m.Args), Dir: string(m.Dir), Env: texts(m.Env), Payload: m.Payload, From: from}, nil
}

func texts(b [][]byte) []string {
	var s []string
	for _, b := range b {
		s = append(s, string(b))
	}
	return s
}

func blobs(s []string) [][]byte {
	var b [][]byte
	for _, s := range s {
		b = append(b, []byte(s))
	}
	return b
}
