//go:build linux || windows

package call

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// meanwhile has change called again and again while do runs.
func meanwhile(change func(), do func() error) error {
	var changing sync.WaitGroup
	stop := make(chan struct{})
	changing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				change()
			}
		}
	})
	defer changing.Wait()
	defer close(stop)
	return do()
}

// changeRounds is how often a request is asked whose memory changes.
const changeRounds = 1000 / ease

// goesOn asks again and again, and wants answers of these kinds.
func (l *lyingClient) goesOn(fields requestFields, statuses ...uint32) error {
	seen := map[uint32]int{}
	for range changeRounds {
		answer, err := l.ask(0, fields)
		if err != nil {
			return err
		}
		if !slices.Contains(statuses, answer.status) {
			return fmt.Errorf("status %d: %q", answer.status, l.textOf(0, answer))
		}
		seen[answer.status]++
	}
	fmt.Println("log answers by status:", seen)
	return nil
}

// flip changes a byte of mem for an instant, to one of those that begin something.
func flip(mem []byte, was []byte) {
	at := rand.IntN(len(was))
	mem[at] = [...]byte{0x00, 0x5b, 0x7b, 0x7f, 0x9b, 0xa3, 0xbb, 0xbf, 0xf6, 0xff, byte(rand.Uint32())}[rand.IntN(11)]
	for range rand.IntN(4) {
		runtime.Gosched()
	}
	mem[at] = was[at]
}

// changing asks with text as the argument, the metadata or both, in the slot, or in
// region 1, while a thread changes it.
func changing(fields requestFields, text []byte, inRegion bool) func(*lyingClient) error {
	return func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		fields.region = 1
		mem, err := mapping(f, page64K)
		if err != nil {
			return err
		}
		if !inRegion {
			mem = l.slot(0).arg
		}
		copy(mem, text)
		return meanwhile(func() { flip(mem, text) }, func() error {
			return l.goesOn(fields, statusDone, statusKept, statusLayout)
		})
	}
}

// shortNote and longNote are documents in a slot and in a region.
var (
	shortNote = encode(noteOf(100))
	longNote  = encode(lieNote{Text: "of numbers", Numbers: make([]int64, 2_000)})
)

// changeLies change what a server reads while it does so. What it reads, it has to
// copy first, and to look at once.
var changeLies = []clientLie{
	{name: "change-document", want: served,
		lie: changing(requestFields{method: notesNumber, argLen: uint32(len(shortNote))}, shortNote, false)},
	{name: "change-document-in-region", want: served,
		lie: changing(requestFields{method: notesNumber, argLen: uint32(len(longNote))}, longNote, true)},
	{name: "change-bytes", want: served,
		lie: changing(requestFields{method: bytesNumber, argLen: room}, make([]byte, room), false)},
	{name: "change-bytes-in-region", want: served,
		lie: changing(requestFields{method: bytesNumber, argLen: 10_000}, make([]byte, 10_000), true)},
	{name: "change-place", want: served, lie: func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		mem, err := mapping(f, page64K)
		if err != nil {
			return err
		}
		arg := l.slot(0).arg
		return meanwhile(func() {
			binary.NativeEndian.PutUint64(arg, 100)
			mem[rand.IntN(100)]++
			binary.NativeEndian.PutUint64(arg, rand.Uint64())
		}, func() error {
			return l.goesOn(placed(100), statusDone, statusError)
		})
	}},
	// The lengths change between one legal value and another. Whichever the server
	// loads, all of them together are legal; two of the same field may not be.
	{name: "change-lengths", want: served, lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		fields := requestFields{method: bytesNumber, argLen: 1, region: 1}
		req := l.slot(0).req
		return meanwhile(func() {
			req.argLen = rand.Uint32N(28_000)
			req.bodyLen = rand.Uint64N(28_000)
			req.metaLen = rand.Uint32N(maxMeta)
		}, func() error {
			return l.goesOn(fields, statusDone, statusKept)
		})
	}},
	// Then one that does not exist may be met, or not.
	{name: "change-fields", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		h := newHunter(rand.Uint64())
		req := l.slot(0).req
		return meanwhile(func() {
			req.requestFields = h.request()
		}, func() error {
			for {
				if _, err := l.ask(0, requestFields{method: bytesNumber, argLen: 1, region: 1}); err != nil {
					return err
				}
			}
		})
	}},
	// Both threads of the server look at a region: the reader, which is told that it
	// is taken back, and the worker, which is told to use it.
	{name: "change-who-has-the-region", lie: func(l *lyingClient) error {
		f, err := lendable(page64K)
		if err != nil {
			return err
		}
		for {
			if _, err := l.lend(page64K, f); err != nil {
				return err
			}
			s := l.slot(0)
			s.req.requestFields = requestFields{method: bytesNumber, argLen: page64K, region: l.regions}
			seen := l.seq[0]
			l.seq[0]++
			var both sync.WaitGroup
			both.Go(func() {
				s.req.seq.Store(l.seq[0])
				l.point(0, seen)
				_ = l.ring() // whether the conn lives, await finds out
			})
			if err := l.send(msgUnlend, encode(unlend{Region: l.regions})); err != nil {
				both.Wait()
				return err
			}
			both.Wait()
			if _, err := l.await(0); err != nil {
				return err
			}
		}
	}},
}

// shortMeta and longMeta are metadata in a slot and in a region.
var (
	shortMeta = []byte(metaOf(20, 10))
	longMeta  = []byte(metaOf(maxMetaKeys, 50))
)

// readChangeLies change metadata while a server reads it that has interceptors.
var readChangeLies = []clientLie{
	{name: "change-meta", want: served,
		lie: changing(requestFields{method: bytesNumber, metaLen: uint32(len(shortMeta))}, shortMeta, false)},
	{name: "change-meta-in-region", want: served,
		lie: changing(requestFields{method: bytesNumber, metaLen: uint32(len(longMeta))}, longMeta, true)},
}
