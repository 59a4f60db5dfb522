package rendezvous

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall"
)

// newLinkPair returns both sides of a link's memory.
func newLinkPair() (client, server *linkMemory, mem []byte) {
	mem = make([]byte, linkSize) // so large an allocation is aligned to a page
	return newLinkMemory(mem, true), newLinkMemory(mem, false), mem
}

// Frames come out as they went in, in order, until the ring is full and after.
func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		client, server, _ := newLinkPair()
		out, in := &client.out, &server.in
		if rapid.Bool().Draw(t, "to the client") {
			out, in = &server.out, &client.in
		}
		type sent struct {
			kind    uint8
			more    bool
			payload []byte
			handle  uint64
		}
		var queue []sent
		used := uint64(0)
		buf := make([]byte, headerSize+pageSize)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				size := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, pageSize)).Draw(t, "size")
				s := sent{rapid.Byte().Draw(t, "kind"), rapid.Bool().Draw(t, "more"),
					bytes.Repeat([]byte{byte(len(queue)) + 1}, size), rapid.Uint64().Draw(t, "handle")}
				ok, err := out.put(s.kind, s.more, s.payload, s.handle)
				if err != nil {
					t.Fatal(err)
				}
				if fits := used+frameRoom(size) <= ringBytes; ok != fits {
					t.Fatalf("%d bytes are used, a payload of %d: put says %v", used, size, ok)
				}
				if ok {
					queue = append(queue, s)
					used += frameRoom(size)
				}
			},
			"look": func(t *rapid.T) {
				frame, handle, err := in.look(buf)
				if err != nil {
					t.Fatal(err)
				}
				if len(queue) == 0 {
					if frame != nil {
						t.Fatal("a frame that nobody has sent")
					}
					return
				}
				kind, more, payload, err := parseFrame(frame)
				if s := queue[0]; err != nil || kind != s.kind || more != s.more || handle != s.handle || !bytes.Equal(payload, s.payload) {
					t.Fatalf("%d %v %d %x: %v", kind, more, len(payload), handle, err)
				}
				if rapid.Bool().Draw(t, "next") {
					in.next(frame)
					used -= frameRoom(len(queue[0].payload))
					queue = queue[1:]
				}
			},
		})
	})
}

// Two goroutines at once, as two processes are.
func TestRingAtOnce(t *testing.T) {
	client, server, _ := newLinkPair()
	const frames = 200_000
	go func() {
		payload := make([]byte, 300)
		for n := uint64(0); n < frames; {
			b := payload[:n%300]
			if len(b) >= 8 {
				binary.LittleEndian.PutUint64(b, n)
			}
			if ok, err := client.out.put(uint8(n), false, b, n); err != nil {
				t.Error(err)
				return
			} else if !ok {
				runtime.Gosched()
				continue
			}
			n++
		}
	}()
	buf := make([]byte, headerSize+pageSize)
	for n := uint64(0); n < frames; {
		frame, handle, err := server.in.look(buf)
		if err != nil {
			t.Fatal(err)
		}
		if frame == nil {
			runtime.Gosched()
			continue
		}
		if kind, _, b, err := parseFrame(frame); err != nil || kind != uint8(n) || handle != n || uint64(len(b)) != n%300 ||
			len(b) >= 8 && binary.LittleEndian.Uint64(b) != n {
			t.Fatalf("frame %d: %d %d %d %v", n, kind, handle, len(b), err)
		}
		server.in.next(frame)
		n++
	}
}

// What a hostile peer can write into its words, and into its ring.
func TestRingHostile(t *testing.T) {
	buf := make([]byte, headerSize+pageSize)
	for name, lie := range map[string]func(c *linkMemory, mem []byte){
		"written too much":    func(c *linkMemory, _ []byte) { c.mine.written.Store(ringBytes + 8) },
		"written backwards":   func(c *linkMemory, _ []byte) { c.mine.written.Store(math.MaxUint64) },
		"a part of a header":  func(c *linkMemory, _ []byte) { c.mine.written.Store(8) },
		"a long payload":      func(c *linkMemory, mem []byte) { announce(c, mem, pageSize+1, 16<<10) },
		"a longest payload":   func(c *linkMemory, mem []byte) { announce(c, mem, math.MaxUint32, 16<<10) },
		"a payload not there": func(c *linkMemory, mem []byte) { announce(c, mem, 100, 24) },
	} {
		t.Run(name, func(t *testing.T) {
			client, server, mem := newLinkPair()
			lie(client, mem)
			frame, _, err := server.in.look(buf)
			if frame != nil || !errors.Is(err, partywall.ErrProtocol) {
				t.Errorf("%d bytes, %v", len(frame), err)
			}
		})
	}
	for _, read := range []uint64{8, 1 << 63, math.MaxUint64 - 1<<20} {
		client, server, _ := newLinkPair()
		server.mine.read.Store(read)
		if ok, err := client.out.put(1, false, nil, 0); ok || !errors.Is(err, partywall.ErrProtocol) {
			t.Errorf("%d bytes are said to be read: %v, %v", read, ok, err)
		}
	}
}

func announce(c *linkMemory, mem []byte, length uint32, there uint64) {
	binary.LittleEndian.PutUint32(mem[clientRing+4:], length)
	c.mine.written.Store(there)
}
