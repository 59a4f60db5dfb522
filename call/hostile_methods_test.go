//go:build linux || windows

package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/partywall/partywall/internal/fixed"
)

// What the hostile-peer tests call. Liars know these methods by the numbers that
// an honest server gives them, in this order.
var (
	lieAdd   = NewMethod[liePair, lieSum]("lie.add")     // adds, and echoes the body
	lieHold  = NewMethod[liePair, lieSum]("lie.hold")    // returns when its context ends
	lieKeep  = NewMethod[liePair, lieSum]("lie.keep")    // a result's body of A bytes
	lieNotes = NewMethod[lieNote, lieNote]("lie.notes")  // echoes a document
	lieBytes = NewMethod[[]byte, []byte]("lie.bytes")    // echoes bytes
	lieBulk  = NewMethod[liePair, []byte]("lie.bulk")    // a result's body of A bytes and a result of B
	liePlace = NewInPlace[lieSpot, lieSpot]("lie.place") // the sum of the body's first N bytes; adds one to each
	lieStill = NewInPlace[liePair, lieSum]("lie.still")  // returns when its context ends
)

type (
	liePair struct{ A, B int64 }
	lieSum  struct{ S int64 }
	lieNote struct {
		Text    string
		Numbers []int64
		Names   map[string]string
	}
	// lieSpot fills a slot's room, so that there is none for metadata.
	lieSpot struct {
		N    uint64
		Rest [minRoom - 8]byte
	}
)

const (
	addNumber = 1 + iota
	holdNumber
	keepNumber
	notesNumber
	bytesNumber
	bulkNumber
	placeNumber
	stillNumber
	describeNumber // every server's last
	lastNumber     = describeNumber
)

// lieNumbers are the methods as an honest server has them.
var lieNumbers = map[string]uint32{
	"lie.add":                addNumber,
	"lie.hold":               holdNumber,
	"lie.keep":               keepNumber,
	"lie.notes":              notesNumber,
	"lie.bytes":              bytesNumber,
	"lie.bulk":               bulkNumber,
	"lie.place":              placeNumber,
	"lie.still":              stillNumber,
	describeMethod.core.name: describeNumber,
}

// lieCores are the methods by their number - 1.
var lieCores = []*core{
	&lieAdd.core, &lieHold.core, &lieKeep.core, &lieNotes.core, &lieBytes.core, &lieBulk.core,
	&liePlace.core, &lieStill.core, &describeMethod.core,
}

func handleLies(srv *Server) {
	lieAdd.Handle(srv, func(_ context.Context, in *In[liePair], out *Out[lieSum]) error {
		out.Result.S = in.Arg.A + in.Arg.B
		body, err := out.Body(len(in.Body()))
		copy(body, in.Body())
		return err
	})
	lieHold.Handle(srv, func(ctx context.Context, in *In[liePair], _ *Out[lieSum]) error {
		<-ctx.Done()
		return ctx.Err()
	})
	lieKeep.Handle(srv, func(_ context.Context, in *In[liePair], out *Out[lieSum]) error {
		_, err := out.Body(int(in.Arg.A))
		return err
	})
	lieNotes.Handle(srv, func(_ context.Context, in *In[lieNote], out *Out[lieNote]) error {
		first := lieNote{strings.Clone(in.Arg.Text), slices.Clone(in.Arg.Numbers), maps.Clone(in.Arg.Names)}
		runtime.Gosched()
		if first.Text != in.Arg.Text || !slices.Equal(first.Numbers, in.Arg.Numbers) || !maps.Equal(first.Names, in.Arg.Names) {
			panic("the argument changes")
		}
		out.Result = in.Arg
		return nil
	})
	lieBytes.Handle(srv, func(_ context.Context, in *In[[]byte], out *Out[[]byte]) error {
		first := bytes.Clone(in.Arg)
		runtime.Gosched()
		if !bytes.Equal(first, in.Arg) {
			panic("the argument changes")
		}
		out.Result = in.Arg
		return nil
	})
	lieBulk.Handle(srv, func(_ context.Context, in *In[liePair], out *Out[[]byte]) error {
		if min(in.Arg.A, in.Arg.B) < 0 || max(in.Arg.A, in.Arg.B) > 64<<20 {
			return errors.New("too much is asked for")
		}
		body, err := out.Body(int(in.Arg.A))
		copy(body, bytes.Repeat([]byte{'b'}, len(body)))
		out.Result = bytes.Repeat([]byte{'r'}, int(in.Arg.B))
		return err
	})
	liePlace.Handle(srv, func(_ context.Context, l *Loan[lieSpot, lieSpot]) error {
		n := l.Arg.N // once: it is the client's
		if n > uint64(len(l.Body)) {
			return fmt.Errorf("%d bytes of %d", n, len(l.Body))
		}
		for i := range l.Body[:n] {
			l.Result.N += uint64(l.Body[i])
			l.Body[i]++
		}
		return nil
	})
	lieStill.Handle(srv, func(ctx context.Context, l *Loan[liePair, lieSum]) error {
		<-ctx.Done()
		return ctx.Err()
	})
}

// answerHonestly works out the answer to a request as handleLies would, without
// asking whether it is legal: the liar has made its words' memory itself.
func (l *lyingServer) answerHonestly(slot int, fields requestFields) responseFields {
	s := l.slot(slot)
	var mem []byte
	if r := l.lent[fields.region]; r != nil {
		mem = r.Bytes()
	}
	// What the fields say may be the liar's own scribble by now.
	body := mem[:min(fields.bodyLen, uint64(len(mem)))]
	rest := mem[min(bodyOffset(uint64(len(body))), uint64(len(mem))):]
	var arg []byte
	if spilled, _ := l.spill(fields.argLen, fields.metaLen); spilled == 0 {
		arg = s.arg[:min(int(fields.argLen), len(s.arg))]
	} else {
		arg = rest[:min(spilled, uint64(len(rest)))]
		rest = rest[min(bodyOffset(uint64(len(arg))), uint64(len(rest))):]
	}
	answer := responseFields{status: statusDone}
	switch fields.method {
	case notesNumber, bytesNumber:
		answer.resultLen = uint32(len(arg))
		if copy(s.result, arg); len(arg) > len(s.result) {
			copy(rest, bytes.Clone(arg))
		}
	case placeNumber:
		answer.resultLen = uint32(liePlace.result.size)
		clear(s.result[:liePlace.result.size])
	default:
		var pair liePair
		copy(fixed.Bytes(&pair), s.arg)
		sum := lieSum{pair.A + pair.B}
		copy(s.result, fixed.Bytes(&sum))
		answer.resultLen = uint32(lieAdd.result.size)
		answer.bodyLen = uint64(copy(rest, body))
	}
	return answer
}

var errWrong = errors.New("a wrong result")

// addOnce is one honest call.
func addOnce(ctx context.Context, c *Conn) error {
	got, err := lieAdd.Call(ctx, c, liePair{40, 2})
	if err == nil && got.S != 42 {
		err = fmt.Errorf("%w: %d", errWrong, got.S)
	}
	return err
}

// addBody is one honest call with a body.
func addBody(ctx context.Context, c *Conn) error {
	body := strings.Repeat("body", 5_000)
	got, back, err := lieAdd.CallBody(ctx, c, liePair{40, 2}, []byte(body), nil)
	if err == nil && (got.S != 42 || string(back) != body) {
		err = fmt.Errorf("%w: %d and a body of %d bytes", errWrong, got.S, len(back))
	}
	return err
}

// noteOf makes a document of a little more than n bytes.
func noteOf(n int) lieNote {
	return lieNote{strings.Repeat("n", n), []int64{-1, 1 << 40}, map[string]string{"key": "value"}}
}

func (n lieNote) equal(m lieNote) bool {
	return n.Text == m.Text && slices.Equal(n.Numbers, m.Numbers) && maps.Equal(n.Names, m.Names)
}

// noteEchoed is one honest call with a document of a little more than n bytes.
func noteEchoed(n int) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		note := noteOf(n)
		got, err := lieNotes.Call(ctx, c, note)
		if err == nil && !got.equal(note) {
			err = fmt.Errorf("%w: a note of %d, %d, %d", errWrong, len(got.Text), len(got.Numbers), len(got.Names))
		}
		return err
	}
}

// bytesEchoed is one honest call with n bytes and a body of others, if any.
func bytesEchoed(n, body int) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) (err error) {
		arg := bytes.Repeat([]byte{'e'}, n)
		var got, back []byte
		if body == 0 {
			got, err = lieBytes.Call(ctx, c, arg)
		} else {
			got, back, err = lieBytes.CallBody(ctx, c, arg, make([]byte, body), nil)
		}
		if err == nil && (!bytes.Equal(got, arg) || len(back) != 0) {
			err = fmt.Errorf("%w: %d bytes and a body of %d", errWrong, len(got), len(back))
		}
		return err
	}
}

// placeOnce is one honest call in place with a body of n bytes.
func placeOnce(n int) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		return liePlace.Lease(ctx, c, n, func(l *Lease[lieSpot, lieSpot]) error {
			l.Arg.N = uint64(n)
			for i := range l.Body {
				l.Body[i] = 1
			}
			err := l.Do(ctx)
			if err == nil && (l.Result.N != uint64(n) || bytes.Count(l.Body, []byte{2}) != n) {
				err = fmt.Errorf("%w: %d", errWrong, l.Result.N)
			}
			return err
		})
	}
}
