//go:build linux || windows

package call

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
)

// answerOf is the honest answer, changed as resultLie says.
type resultLie struct {
	name   string
	do     func(context.Context, *Conn) error
	change func(*responseFields)
	want   error // unless it is nil, the call's error, and the conn lives; errNone for none
}

func (r resultLie) lieOf() serverLie {
	return serverLie{name: r.name, do: r.do, lie: answering(r.change), want: r.want, lives: r.want != nil}
}

func serverLiesOf(results []resultLie) (lies []serverLie) {
	for _, r := range results {
		lies = append(lies, r.lieOf())
	}
	return lies
}

// What the lies are told about: a document in the slot, one in a region, and bytes
// with a body.
var (
	smallNote   = noteEchoed(10)
	largeNote   = noteEchoed(1000)
	bytesInBody = bytesEchoed(1000, 100)
	inPlace     = placeOnce(1000)
)

// restOfRegion is how much of the 64 KiB is left for a result behind that of largeNote,
// restBehindBody behind that of bytesInBody.
var (
	restOfRegion   = page64K - uint32(bodyOffset(uint64(len(must(document.Marshal(noteOf(1000)))))))
	restBehindBody = page64K - uint32(bodyOffset(bulk(100, 1000)))
)

// resultLies are lies about results that have no fixed layout, and about those that have.
var resultLies = slices.Concat(serverLiesOf([]resultLie{
	{"result-no-lie", smallNote, func(*responseFields) {}, errNone},
	{"result-no-lie-in-region", largeNote, func(*responseFields) {}, errNone},

	// Where no region was lent.
	{"result-cut", smallNote, func(f *responseFields) { f.resultLen-- }, partywall.ErrLayout},
	{"result-nothing", smallNote, func(f *responseFields) { f.resultLen = 0 }, partywall.ErrLayout},
	{"result-fills-the-slot", smallNote, func(f *responseFields) { f.resultLen = room }, partywall.ErrLayout},
	{"result-in-no-region", smallNote, func(f *responseFields) { f.resultLen = room + 1 }, nil},
	{"result-huge", smallNote, func(f *responseFields) { f.resultLen = math.MaxUint32 }, nil},
	{"result-over-limit", smallNote, func(f *responseFields) { f.resultLen = document.MaxSize + 1 }, nil},
	{"result-body-not-wanted", smallNote, func(f *responseFields) { f.bodyLen = math.MaxUint64 }, errNone},

	// Where one was, for the argument.
	{"result-fills-the-region", largeNote, func(f *responseFields) { f.resultLen = restOfRegion }, partywall.ErrLayout},
	{"result-beyond-the-region", largeNote, func(f *responseFields) { f.resultLen = restOfRegion + 1 }, nil},
	{"result-behind-a-full-body", largeNote, func(f *responseFields) { f.bodyLen = page64K }, nil},
	{"result-behind-a-body-that-wraps", largeNote, func(f *responseFields) { f.bodyLen = wrapsTo0 }, nil},
	{"result-wraps-with-the-body", largeNote, func(f *responseFields) { f.resultLen, f.bodyLen = 512, math.MaxUint64-511 }, nil},
	{"result-behind-a-body-at-limit", largeNote, func(f *responseFields) { f.bodyLen = MaxBody }, nil},
	{"result-behind-a-body-over-limit", largeNote, func(f *responseFields) { f.bodyLen = MaxBody + 1 }, nil},
	{"result-bytes-over-limit", bytesInBody, func(f *responseFields) { f.resultLen = MaxBody + 1 }, nil},
	{"result-bytes-at-limit", bytesInBody, func(f *responseFields) { f.resultLen = MaxBody }, nil},
	{"result-bytes-beyond-the-region", bytesInBody, func(f *responseFields) { f.resultLen = restBehindBody + 1 }, nil},
	{"result-bytes-and-body-beyond-the-region", bytesInBody, func(f *responseFields) { f.resultLen, f.bodyLen = restBehindBody-64, 65 }, nil},
	{"result-bytes-and-body-fill-the-region", wrongly(bytesInBody), func(f *responseFields) { f.resultLen, f.bodyLen = restBehindBody-64, 64 }, errNone},
	{"result-body-beyond-the-region", bytesInBody, func(f *responseFields) { f.resultLen, f.bodyLen = room, uint64(restBehindBody)+1 }, nil},

	// A fixed layout has one length. What lies in the slot otherwise is of another call.
	{"resultlen-one-less", addOnce, func(f *responseFields) { f.resultLen-- }, nil},
	{"resultlen-zero", addOnce, func(f *responseFields) { f.resultLen = 0 }, nil},
	{"resultlen-fills-the-slot", addOnce, func(f *responseFields) { f.resultLen = room }, nil},
	{"resultlen-in-region", addBody, func(f *responseFields) { f.resultLen = room + 1 }, nil},

	// In place, the result lies in the slot, and there is one body.
	{"place-no-lie", wrongly(inPlace), func(*responseFields) {}, errNone},
	{"place-kept", inPlace, func(f *responseFields) { f.status = statusKept }, nil},
	{"place-body-huge", wrongly(inPlace), func(f *responseFields) { f.bodyLen = math.MaxUint64 }, errNone},
	{"place-resultlen-one-more", inPlace, func(f *responseFields) { f.resultLen++ }, nil},
	{"place-resultlen-one-less", inPlace, func(f *responseFields) { f.resultLen-- }, nil},
	{"place-resultlen-zero", inPlace, func(f *responseFields) { f.resultLen = 0 }, nil},
	{"place-status-unknown", inPlace, func(f *responseFields) { f.status = statusLate + 1 }, nil},
	{"place-error-too-long", inPlace, func(f *responseFields) { f.status, f.resultLen = statusError, room+1 }, nil},

	// That the argument cannot be read is a text.
	{"layout-nothing", smallNote, func(f *responseFields) { f.status, f.resultLen = statusLayout, 0 }, partywall.ErrLayout},
	{"layout-one-too-long", smallNote, func(f *responseFields) { f.status, f.resultLen = statusLayout, room+1 }, nil},
	{"layout-huge", largeNote, func(f *responseFields) { f.status, f.resultLen = statusLayout, math.MaxUint32 }, nil},
	{"layout-with-body", addBody, func(f *responseFields) {
		f.status, f.resultLen, f.bodyLen = statusLayout, 8, math.MaxUint64
	}, partywall.ErrLayout},
}), []serverLie{
	{name: "ugly-layout", do: smallNote, want: partywall.ErrLayout, lives: true, lie: saying(statusLayout, ugly)},
	{name: "ugly-layout-in-place", do: inPlace, want: partywall.ErrLayout, lives: true, lie: saying(statusLayout, ugly)},
	{name: "ugly-layout-full", do: smallNote, want: partywall.ErrLayout, lives: true, lie: saying(statusLayout, strings.Repeat("\xff"+ugly, 100))},
	{name: "result-garbage", do: eachNotRead(notDocuments), want: errNone, lives: true, lie: garbageOf(notDocuments)},
	{name: "result-garbage-at-length", do: eachNotRead(bigNotDocuments), want: errNone, lives: true, lie: garbageOf(bigNotDocuments)},
	{name: "result-changes", do: changingEchoes, want: errNone, lives: true, lie: changeWhatIsRead},
})

// wrongly allows a result to be wrong, for it is the liar's to give.
func wrongly(do func(context.Context, *Conn) error) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		if err := do(ctx, c); !errors.Is(err, errWrong) {
			return err
		}
		return nil
	}
}

// eachNotRead asks as often as there are texts, and wants no answer to be read.
func eachNotRead(texts map[string]string) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if err := smallNote(ctx, c); !errors.Is(err, partywall.ErrLayout) || cleanText(err.Error()) != err.Error() {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
}

// garbageOf answers with one text after the other.
func garbageOf(texts map[string]string) func(*lyingServer) error {
	return func(l *lyingServer) error {
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if err := l.says(texts[name]); err != nil {
				return err
			}
		}
		return nil
	}
}

// says answers a request with a result, which it keeps if there is no room in the slot.
func (l *lyingServer) says(result string) error {
	slot, _, err := l.take()
	if err != nil {
		return err
	}
	answer := responseFields{status: statusDone, resultLen: uint32(len(result))}
	if copy(l.slot(slot).result, result); len(result) <= len(l.slot(slot).result) {
		return l.publish(slot, answer)
	}
	answer.status = statusKept
	if err := l.publish(slot, answer); err != nil {
		return err
	}
	slot, fields, err := l.take()
	if err != nil {
		return err
	}
	l.mu.Lock()
	copy(l.lent[fields.region].Bytes(), result)
	l.mu.Unlock()
	return l.publish(slot, responseFields{status: statusDone, bodyLen: uint64(len(result))})
}

// changingRounds is how many answers a server changes while they are read.
const changingRounds = 500 / ease

// changingEchoes asks what changeWhatIsRead answers.
func changingEchoes(ctx context.Context, c *Conn) error {
	for i := range changingRounds {
		ask := []func(context.Context, *Conn) error{smallNote, largeNote, bytesInBody, addBody, inPlace}[i%5]
		if err := ask(ctx, c); err != nil && !errors.Is(err, errWrong) && !errors.Is(err, partywall.ErrLayout) {
			return fmt.Errorf("round %d: %w", i, err)
		}
	}
	return nil
}

// changeWhatIsRead answers honestly, and changes all the while what lies where results
// and bodies do.
func changeWhatIsRead(l *lyingServer) error {
	h := newHunter(1)
	return meanwhile(func() {
		s := l.slot(h.IntN(2))
		s.result[h.IntN(room)] ^= byte(1 << h.IntN(8))
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, r := range l.lent {
			r.Bytes()[h.IntN(5_000)] ^= byte(1 << h.IntN(8))
		}
	}, func() error {
		for range changingRounds {
			slot, fields, err := l.take()
			if err == nil {
				err = l.publish(slot, l.result(slot, fields))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
