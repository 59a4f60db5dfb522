package section_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// hostilePatience is that of victims which have to lose it.
const hostilePatience = 100 * time.Millisecond

// What becomes of each operation when a word is not what it should be, while handles are open.
func TestHostileWords(t *testing.T) {
	// Each cell of a section of bytes is 128 bytes long.
	lengths := func(t *testing.T, at target, n uint64) {
		first := int64(peek(t, at.region(1), 48))
		for cell := range int64(4) {
			poke(t, at.region(1), first+128*cell, n)
		}
	}
	entry := func(number, at int64) int64 { return atEntries + 32*number + at }
	for _, test := range []struct {
		what, kind string
		harm       func(t *testing.T, at target)
		answers    string // of the victim, in turn: a command, and how the answer begins or what else it has in it
	}{
		{"a cell that is none", "small", func(t *testing.T, at target) { poke(t, at.region(1), atSwitch, 9<<4|5) },
			"load=Protocol; store=Protocol; update=Protocol; watch=Protocol; join=Protocol"},
		{"a cell that is none, of three", "large", func(t *testing.T, at target) { poke(t, at.region(1), atSwitch, 9<<4|3) },
			"load=Protocol; store=Protocol; update=Protocol; watch=Protocol; join=Protocol"},
		{"a length beyond the room", "bytes", func(t *testing.T, at target) { lengths(t, at, 101) },
			"load=Protocol; update=Protocol; watch=Protocol; store=ok; load=ok"},
		{"the greatest length", "bytes", func(t *testing.T, at target) { lengths(t, at, 1<<64-1) },
			"load=Protocol; store=ok; load=ok"},
		{"the lock, held by nobody", "small", func(t *testing.T, at target) { poke(t, at.region(1), atLock, lockHeld(700, false)) },
			"store=ok; load=ok; watch=Deadline"},
		{"the lock, held by nobody who is about to switch", "large", func(t *testing.T, at target) { poke(t, at.region(1), atLock, lockHeld(700, true)) },
			"watch=Deadline; store=ok; load=ok"},
		{"the lock, held by a number that does not exist", "small", func(t *testing.T, at target) { poke(t, at.region(1), atLock, lockHeld(1<<14-1, true)) },
			"watch=Deadline; join=ok; store=ok"},
		{"the lock, held by who lives and does not know", "small", func(t *testing.T, at target) { poke(t, at.region(1), atLock, lockHeld(1, true)) },
			"load=ok; watch=Deadline; store=Busy Patience PID; update=Busy Deadline PID; join=ok"},
		{"the lock, held by the victim", "small", func(t *testing.T, at target) { poke(t, at.region(1), atLock, lockHeld(0, false)) },
			"load=ok; watch=Deadline; store=Busy Patience; update=Busy Deadline; join=ok"},
		{"a ticket that overflows", "small", func(t *testing.T, at target) { poke(t, at.region(1), atLock, 1<<64-1<<16) },
			"store=ok; load=ok; store=ok; load=ok"},
		{"the last version", "small", func(t *testing.T, at target) {
			poke(t, at.region(1), atSwitch, (1<<64-1)&^15|peek(t, at.region(1), atSwitch)&7)
		}, "load=ok; watch=Deadline; store=ok; load=ok"},
		{"pins of the dead", "large", func(t *testing.T, at target) { poke(t, at.anchor, entry(900, 8), 0xff) },
			"store=ok; store=ok; store=ok; load=ok"},
		{"pins of the living", "large", func(t *testing.T, at target) { poke(t, at.anchor, entry(1, 8), 0x1ff) },
			"load=ok; store=Busy Patience PID; update=Busy Deadline PID; watch=Deadline"},
		{"pins that the victim has not", "large", func(t *testing.T, at target) { poke(t, at.anchor, entry(0, 8), 0x1ff) },
			"store=Busy Patience; load=ok; store=ok"},
		{"moved to nowhere", "small", func(t *testing.T, at target) {
			poke(t, at.anchor, atCurrent, 99)
			poke(t, at.region(1), atSwitch, peek(t, at.region(1), atSwitch)|8)
		}, "load=NotExist; store=NotExist; update=NotExist; watch=NotExist; join=NotExist"},
		{"moved to generation 0", "large", func(t *testing.T, at target) {
			poke(t, at.anchor, atCurrent, 0)
			poke(t, at.region(1), atSwitch, peek(t, at.region(1), atSwitch)|8)
		}, "load=Protocol; store=Protocol; update=Protocol; watch=Protocol"},
		{"moved, and the mover has died", "document", func(t *testing.T, at target) {
			poke(t, at.region(1), atSwitch, peek(t, at.region(1), atSwitch)|8)
		}, "load=ok; watch=Deadline; store=ok; load=ok; join=ok"},
		{"current is nowhere", "small", func(t *testing.T, at target) { poke(t, at.anchor, atCurrent, 99) },
			"load=ok; store=ok; watch=Deadline; join=NotExist"},
		{"a schema of garbage", "small", func(t *testing.T, at target) { pokeBytes(t, at.region(1), 256, []byte("garbage!")) },
			"load=ok; store=ok; join=Protocol"},
		{"a schema of a document that is garbage", "document", func(t *testing.T, at target) { pokeBytes(t, at.region(1), 260, []byte("garbage!")) },
			"load=ok; store=ok; join=Protocol"},
		{"another form", "bytes", func(t *testing.T, at target) { poke32(t, at.region(1), 12, 3) },
			"load=ok; store=ok; join=Protocol"},
		{"another layout of the region", "small", func(t *testing.T, at target) { poke32(t, at.region(1), 8, 2) },
			"load=ok; store=ok; join=Version"},
		{"another layout of the anchor", "small", func(t *testing.T, at target) { poke32(t, at.anchor, 8, 2) },
			"load=ok; store=ok; join=Version"},
		{"another magic", "small", func(t *testing.T, at target) { poke(t, at.anchor, 0, 1) },
			"load=ok; store=ok; join=Protocol"},
		{"no magic", "small", func(t *testing.T, at target) { poke(t, at.anchor, 0, 0) },
			"load=ok; store=ok; join=Protocol"},
		{"more entries than bytes", "small", func(t *testing.T, at target) { poke32(t, at.anchor, 12, 2000) },
			"load=ok; store=ok; join=Protocol"},
		{"no room for another", "small", func(t *testing.T, at target) { poke32(t, at.anchor, 12, 2) },
			"load=ok; store=ok; join=Busy"},
		{"another name", "small", func(t *testing.T, at target) { pokeBytes(t, at.anchor, 24, []byte("z")) },
			"load=ok; store=ok; join=Protocol"},
		{"rows of nonsense in the entries", "large", func(t *testing.T, at target) {
			pokeBytes(t, at.anchor, atEntries+64, []byte(strings.Repeat("\xa5", 32*1022)))
		}, "load=ok; store=ok; update=ok; watch=Deadline; join=ok"},
	} {
		t.Run(test.what, func(t *testing.T) {
			clean(t)
			at := newTarget(t, test.kind)
			p := victim(t, test.kind, at.name, hostilePatience) // number 0
			if got := tell(t, p, "store", 3); got != "ok" {
				t.Fatal(got)
			}
			other := victim(t, test.kind, at.name, hostilePatience) // number 1
			test.harm(t, at)
			for _, want := range strings.Split(test.answers, "; ") {
				command, want, _ := strings.Cut(want, "=")
				want = strings.ReplaceAll(want, "PID", "")
				got := tell(t, p, command, 4)
				for _, word := range strings.Fields(want) {
					if !strings.Contains(" "+got[:strings.IndexByte(got+`"`, '"')]+" ", " "+word+" ") {
						t.Errorf("%s: %s, want %s", command, got, word)
					}
				}
				if strings.Contains(test.answers, command+"="+want+"PID") && !containsNumber(got, other.PID()) {
					t.Errorf("%s: %s: it does not name process %d", command, got, other.PID())
				}
			}
			at.end(t, p, other)
		})
	}
}

// A target is a section whose words are changed.
type target struct {
	name   string
	anchor string
	region func(int) string
}

func newTarget(t testing.TB, kind string) target {
	at := target{name: "hostile/" + kind}
	at.anchor, at.region = files(at.name)
	return at
}

// end ends the victims, who have to live. They may not know how to clear up.
func (at target) end(t testing.TB, victims ...interface {
	Say(string, ...any)
	Expect(string) string
	Wait() error
}) {
	for _, p := range victims {
		p.Say("close")
		p.Expect("close")
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	// The next one finds its way, or says that the files are to be removed.
	if s, err := tryOn[plant](t, ground{kind: "files"}, at.name); err == nil {
		s.Close()
	} else if !strings.Contains(err.Error(), "partywall section rm") {
		t.Error(err)
	}
	os.Remove(at.anchor)
}

// Each word of the anchor and of the region has each of some values, while a handle is open: whatever an operation then
// says, it says it soon; and when the word is what it was, all is well.
func TestEachWord(t *testing.T) {
	for _, kind := range []string{"small", "large", "bytes", "document"} {
		t.Run(kind, func(t *testing.T) {
			clean(t)
			at := newTarget(t, kind)
			p := victim(t, kind, at.name, 20*time.Millisecond)
			if got := tell(t, p, "store", 3); got != "ok" {
				t.Fatal(got)
			}
			random := rand.New(rand.NewPCG(1, uint64(len(kind))))
			harm := func(path string, from, to int64) {
				for word := from; word < to; word += 4 {
					was := uint32(peek(t, path, word))
					for _, value := range []uint32{0, 1<<32 - 1, random.Uint32()} {
						if value == was || (testing.Short() || slow) && random.IntN(8) != 0 {
							continue
						}
						where := fmt.Sprintf("%s: %#x is %#x instead of %#x", path[len(path)-10:], word, value, was)
						poke32(t, path, word, value)
						for _, command := range []string{"load", "store", "update", "watch", "join"} {
							got := tell(t, p, command, 4)
							if !strings.HasPrefix(got, "ok") && !strings.Contains(got, `section \"hostile/`) || strings.Contains(got, "runtime error") {
								t.Errorf("%s: %s: %s", where, command, got)
							}
						}
						poke32(t, path, word, was)
						for _, command := range []string{"store", "load", "join"} {
							eventually(t, where+": and back: "+command, func() bool { return strings.HasPrefix(tell(t, p, command, 5), "ok") })
						}
						if now := peek(t, at.anchor, atCurrent); now != 1 {
							t.Fatalf("%s: generation %d", where, now)
						}
					}
				}
			}
			region := at.region(1)
			schema := int64(binary.LittleEndian.Uint32(binary.LittleEndian.AppendUint64(nil, peek(t, region, 44))))
			first := int64(peek(t, region, 48))
			harm(region, 0, 64)
			harm(region, atLock, atLock+8)
			harm(region, 256, 256+min(schema&^3, 60))
			harm(region, first, first+8)
			harm(at.anchor, 0, 32)
			harm(at.anchor, atCurrent, 148)
			harm(at.anchor, atBell, atSleepers+4)
			harm(at.anchor, atEntries, atEntries+64)
			at.end(t, p)
		})
	}
}
