package contender

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// page is how far apart the words lie in which one request differs from the one before, so that an
// answer that is stale in part is found out.
const page = 4096

// mask is what the servers combine requests with.
var mask = func() (m [page]byte) {
	for i := range m {
		m[i] = byte(i*7) | 1 // never zero: an answer differs from its request in every byte
	}
	return m
}()

// Answer is the work that each server does: it reads all of arg and writes all of result, which
// have the same length and may be the same memory.
func Answer(result, arg []byte) {
	for len(arg) > 0 {
		n := subtle.XORBytes(result, arg, mask[:])
		arg, result = arg[n:], result[n:]
	}
}

// A Question is a sequence of requests of one size, and the answers that are expected.
type Question struct {
	Arg, Result []byte
	want        []byte
}

// NewQuestion returns one for messages of size bytes.
func NewQuestion(size int) *Question {
	q := &Question{make([]byte, size), make([]byte, size), make([]byte, size)}
	for i := range q.Arg {
		q.Arg[i] = byte(i>>8 + i*3)
	}
	Answer(q.want, q.Arg)
	return q
}

// Next makes the n-th request: a word in each page differs from other requests.
func (q *Question) Next(n uint64) {
	for at := 0; at < len(q.Arg); at += page {
		var word, answer [8]byte
		binary.LittleEndian.PutUint64(word[:], n+uint64(at))
		copy(q.Arg[at:], word[:])
		subtle.XORBytes(answer[:], word[:], mask[:])
		copy(q.want[at:], answer[:])
	}
}

// Answered reports whether every byte of the result is right.
func (q *Question) Answered() bool { return bytes.Equal(q.Result, q.want) }

// delivered puts an answer that came in other memory into result.
func delivered(result, answer []byte, err error) error {
	if err != nil {
		return err
	}
	if len(answer) != len(result) {
		return fmt.Errorf("an answer of %d bytes to a request of %d", len(answer), len(result))
	}
	if len(answer) > 0 && &answer[0] != &result[0] {
		copy(result, answer)
	}
	return nil
}
