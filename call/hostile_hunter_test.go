//go:build linux || windows

package call

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
)

// A hunter writes what nobody has thought of.
type hunter struct{ *rand.Rand }

func newHunter(seed uint64) hunter { return hunter{rand.New(rand.NewPCG(seed, 0))} }

// word is a random word, more often one at which arithmetic goes wrong.
func (h hunter) word() uint64 {
	switch h.IntN(5) {
	case 0:
		return h.Uint64()
	case 1:
		return uint64(h.IntN(16))
	case 2:
		return 1<<h.IntN(64) - uint64(h.IntN(3))
	case 3: // around what has room
		return []uint64{pairSize, room, maxMeta, page64K, MaxBody}[h.IntN(5)] + uint64(h.IntN(130)) - 65
	}
	return math.MaxUint64 - uint64(h.IntN(128))
}

// scribble writes one random word somewhere into memory.
func (h hunter) scribble(mem []byte) {
	if at := 4 * h.IntN(len(mem)/4-1); h.IntN(2) == 0 {
		binary.LittleEndian.PutUint32(mem[at:], uint32(h.word()))
	} else {
		binary.LittleEndian.PutUint64(mem[at:], h.word())
	}
}

// honestRequest is one that is served, for any of the methods. For its argument there are
// those of lie.add, and shortNote, longNote.
func (h hunter) honestRequest() (fields requestFields, note []byte) {
	f := requestFields{method: uint32(1 + h.IntN(lastNumber))}
	f.argLen = uint32(lieCores[f.method-1].arg.size)
	switch f.method {
	case holdNumber, stillNumber: // they have to end some time
		f.flags, f.deadline = flagCancellable|flagDeadline, 1
	case notesNumber, bytesNumber:
		note = [][]byte{shortNote, longNote}[h.IntN(2)]
		f.argLen = uint32(len(note))
	}
	if h.IntN(4) == 0 {
		f.metaLen = uint32(h.IntN(maxMeta + 1))
	}
	if len(note) > room || f.argLen+f.metaLen > room || h.IntN(2) == 0 {
		f.region, f.bodyLen = 1, uint64(h.IntN(page64K/2))
	}
	return f, note
}

// request makes a request that is honest but for one or two fields.
func (h hunter) request() requestFields {
	f, _ := h.honestRequest()
	return h.changed(f)
}

func (h hunter) changed(f requestFields) requestFields {
	for range h.IntN(3) {
		switch h.IntN(9) {
		case 0:
			f.method = uint32(h.word())
		case 1:
			f.flags = uint32(h.IntN(2 * knownFlags))
		case 2:
			f.argLen = uint32(h.word())
		case 3:
			f.region = uint32(h.IntN(4))
		case 4:
			f.deadline = int64(h.word())
		case 5:
			f.bodyLen = h.word()
		case 6:
			f.region, f.bodyLen = 1, uint64(h.IntN(2*page64K))
		case 7:
			f.metaLen = uint32(h.word())
		case 8:
			f.flags |= flagFetch
		}
	}
	return f
}

// A prey is a conn on which a hunter lies.
type prey struct {
	*lyingClient
	memory *os.File // of the regions that are lent
	region uint32   // the number of the one that is lent now
}

// hunt attacks through one conn until it is ended, or for a while.
func (h hunter) hunt(service string) error {
	l, err := newLyingClient(service)
	if err != nil {
		return err
	}
	defer func() {
		l.hangUp()
		l.control.region.Close()
	}()
	p := &prey{lyingClient: l}
	blind := h.IntN(2) == 0
	if !blind {
		if p.memory, err = l.lendHonest(page64K); err != nil {
			return err
		}
		defer p.memory.Close()
		p.region = 1
		if h.IntN(3) == 0 {
			err = h.blink(p)
		}
	}
	for range 300 {
		if err != nil {
			break
		}
		switch {
		case blind:
			for range 1 + h.IntN(20) {
				h.scribble(l.control.region.Bytes())
			}
			err = l.ring()
		case h.IntN(10) == 0:
			h.scribble(l.control.region.Bytes()[:slotsOffset+8*l.slotSize()])
			err = l.ring()
		case h.IntN(20) == 0:
			err = h.exchangeRegions(p)
		case h.IntN(20) == 0:
			err = h.lookUp(p)
		default:
			err = h.askSomething(p)
		}
	}
	if errors.Is(err, errEnded) {
		err = nil
	}
	return err
}

// blink asks again and again, honestly but for an instant now and then, in which a field
// says something else: to be caught only by who checks what it does not use, or uses what it
// has not checked.
func (h hunter) blink(p *prey) error {
	honest := requestFields{method: bytesNumber, argLen: 1000, metaLen: 1000, region: 1, bodyLen: 1000}
	req, other := p.slot(0).req, newHunter(h.Uint64())
	return meanwhile(func() {
		blink := &req.requestFields
		switch other.IntN(4) {
		case 0:
			blink.argLen = uint32(other.word())
		case 1:
			blink.metaLen = uint32(other.word())
		case 2:
			blink.bodyLen = other.word()
		case 3:
			blink.region = 0
		}
		for range other.IntN(20) {
			runtime.KeepAlive(blink)
		}
		*blink = honest
		for range 50 * other.IntN(50) {
			runtime.KeepAlive(blink)
		}
	}, func() error {
		for range 2000 {
			if _, err := p.ask(0, honest); err != nil {
				return err
			}
		}
		return nil
	})
}

// askSomething publishes a request, mostly honest but for a detail, and mostly waits
// until it has been looked at.
func (h hunter) askSomething(p *prey) error {
	slot := h.IntN(8)
	fields, note := h.honestRequest()
	if fields.region != 0 {
		fields.region = p.region
	}
	p.argument(slot, int64(h.IntN(1<<20)), int64(h.IntN(1<<20)))
	if note = append([]byte(nil), note...); len(note) > 0 && h.IntN(2) == 0 {
		h.scribble(note)
	}
	if len(note) <= room {
		copy(p.slot(slot).arg, note)
	} else if _, err := p.memory.WriteAt(note, int64(bodyOffset(fields.bodyLen))); err != nil {
		return err
	}
	if err := p.publish(slot, h.changed(fields)); err != nil {
		return err
	}
	if h.IntN(4) == 0 {
		return nil
	}
	_, err := p.question("lie.add") // the answer may be lost in the liar's own scribble
	return err
}

// exchangeRegions takes a region back, perhaps in the middle of its use, and lends
// another, perhaps before.
func (h hunter) exchangeRegions(p *prey) error {
	if h.IntN(2) == 0 {
		if err := p.publish(h.IntN(8), requestFields{method: bytesNumber, argLen: page64K, region: p.region}); err != nil {
			return err
		}
	}
	taken := p.region
	exchange := []func() error{
		func() error { return p.send(msgUnlend, encode(unlend{Region: taken})) },
		func() error {
			_, err := p.lend(page64K, p.memory)
			p.region = p.regions
			return err
		},
	}
	first := h.IntN(2)
	if err := exchange[first](); err != nil {
		return err
	}
	return exchange[1-first]()
}

// lookUp asks what a method is, saying what it is not.
func (h hunter) lookUp(p *prey) error {
	c := lieCores[h.IntN(len(lieCores))]
	ask := resolve{uint32(h.word()), c.name, append([]byte(nil), c.arg.schema...), append([]byte(nil), c.result.schema...), h.IntN(2) == 0}
	for _, schema := range []*[]byte{&ask.Arg, &ask.Result} {
		switch h.IntN(4) {
		case 0:
			*schema = nil
		case 1:
			*schema = (*schema)[:h.IntN(len(*schema))]
		case 2:
			if len(*schema) > 8 {
				h.scribble(*schema)
			}
		}
	}
	if err := p.send(msgResolve, encode(ask)); err != nil {
		return err
	}
	_, err := p.next()
	return err
}
