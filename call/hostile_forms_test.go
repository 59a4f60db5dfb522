//go:build linux || windows

package call

import (
	"fmt"
	"math"

	"github.com/partywall/partywall/internal/document"
)

// A requestLie is one request, in slot 0. How it lies is in its fields.
type requestLie struct {
	name   string
	lend   int64 // bytes of region 1, which is lent before
	fields requestFields
	status uint32 // of the answer, after which the conn goes on; 0: the conn is ended
}

// lieOf makes a script of it.
func (r requestLie) lieOf() clientLie {
	a := clientLie{name: r.name, lie: func(l *lyingClient) error {
		if r.lend > 0 {
			if _, err := l.lendHonest(r.lend); err != nil {
				return err
			}
		}
		return l.askFor(0, r.fields, r.status)
	}}
	if r.status != 0 {
		a.want = served
	}
	return a
}

// askFor asks and wants an answer with that status, or none that is right.
func (l *lyingClient) askFor(slot int, fields requestFields, status uint32) error {
	answer, err := l.ask(slot, fields)
	if err == nil && answer.status != status {
		err = fmt.Errorf("the answer has status %d, want %d: %q", answer.status, status, l.textOf(slot, answer))
	}
	return err
}

// textOf returns the text of an answer that is no result.
func (l *lyingClient) textOf(slot int, answer responseFields) string {
	result := l.slot(slot).result
	return string(result[:min(int(answer.resultLen), len(result))])
}

func liesOf(requests []requestLie) (lies []clientLie) {
	for _, r := range requests {
		lies = append(lies, r.lieOf())
	}
	return lies
}

const (
	room     = minRoom // of the slots of an honest server with handleLies
	pairSize = 16
	wrapsTo0 = math.MaxUint64 - 62 // rounds up to 0
)

// formLies are lies about the length of arguments and metadata, and about what lies
// where behind a body.
var formLies = liesOf([]requestLie{
	// Bytes lie in the slot if they fit, and else in a region.
	{"bytes-fill-the-slot", 0, requestFields{method: bytesNumber, argLen: room}, statusDone},
	{"bytes-in-no-region", 0, requestFields{method: bytesNumber, argLen: room + 1}, 0},
	{"bytes-huge-in-no-region", 0, requestFields{method: bytesNumber, argLen: math.MaxUint32}, 0},
	{"bytes-in-region", page64K, requestFields{method: bytesNumber, argLen: room + 1, region: 1}, statusDone},
	{"bytes-fill-the-region", page64K, requestFields{method: bytesNumber, argLen: page64K, region: 1}, statusKept},
	{"bytes-beyond-the-region", page64K, requestFields{method: bytesNumber, argLen: page64K + 1, region: 1}, 0},
	{"bytes-half-the-numbers", page64K, requestFields{method: bytesNumber, argLen: 1 << 31, region: 1}, 0},
	{"bytes-huge", page64K, requestFields{method: bytesNumber, argLen: math.MaxUint32, region: 1}, 0},
	{"bytes-over-limit", page64K, requestFields{method: bytesNumber, argLen: MaxBody + 1, region: 1}, 0},

	// Behind a body, at the next multiple of 64.
	{"bytes-behind-a-body", page64K, requestFields{method: bytesNumber, argLen: 512, region: 1, bodyLen: page64K - 512 - 63}, statusKept},
	{"bytes-behind-a-body-one-more", page64K, requestFields{method: bytesNumber, argLen: 513, region: 1, bodyLen: page64K - 512 - 63}, 0},
	{"bytes-body-rounds-to-the-end", page64K, requestFields{method: bytesNumber, argLen: room + 1, region: 1, bodyLen: page64K - 1}, 0},
	{"bytes-in-slot-body-rounds-to-the-end", page64K, requestFields{method: bytesNumber, argLen: room, region: 1, bodyLen: page64K - 1}, statusDone},
	{"bytes-body-wraps", page64K, requestFields{method: bytesNumber, argLen: room + 1, region: 1, bodyLen: wrapsTo0}, 0},
	{"bytes-body-wraps-with-them", page64K, requestFields{method: bytesNumber, argLen: 512, region: 1, bodyLen: math.MaxUint64 - 511}, 0},
	{"bytes-body-at-limit", page64K, requestFields{method: bytesNumber, argLen: room + 1, region: 1, bodyLen: MaxBody}, 0},

	// A document of nothing is none.
	{"document-nothing", 0, requestFields{method: notesNumber}, statusLayout},
	{"document-huge-in-no-region", 0, requestFields{method: notesNumber, argLen: math.MaxUint32}, 0},
	{"document-at-limit", 2 * document.MaxSize, requestFields{method: notesNumber, argLen: document.MaxSize, region: 1}, statusLayout},
	{"document-over-limit", 2 * document.MaxSize, requestFields{method: notesNumber, argLen: document.MaxSize + 1, region: 1}, 0},

	// A fixed layout has one length, wherever it lies.
	{"fixed-in-region", page64K, requestFields{method: addNumber, argLen: room + 1, region: 1}, 0},
	{"place-one-less", page64K, requestFields{method: placeNumber, argLen: room - 1, region: 1}, 0},
	{"place-in-region", page64K, requestFields{method: placeNumber, argLen: room + 1, region: 1}, 0},
	{"describe-no-lie", page64K, requestFields{method: describeNumber, region: 1}, statusDone},
	{"describe-kept", 0, requestFields{method: describeNumber}, statusKept},
	{"describe-with-argument", 0, requestFields{method: describeNumber, argLen: 1}, 0},
	{"describe-with-body", page64K, requestFields{method: describeNumber, region: 1, bodyLen: page64K}, statusKept},

	// Metadata lies directly behind the argument.
	{"meta-fills-the-slot", 0, requestFields{method: addNumber, argLen: pairSize, metaLen: room - pairSize}, statusDone},
	{"meta-in-no-region", 0, requestFields{method: addNumber, argLen: pairSize, metaLen: room - pairSize + 1}, 0},
	{"meta-at-limit", page64K, requestFields{method: addNumber, argLen: pairSize, metaLen: maxMeta, region: 1}, statusDone},
	{"meta-over-limit", page64K, requestFields{method: addNumber, argLen: pairSize, metaLen: maxMeta + 1, region: 1}, 0},
	{"meta-huge", page64K, requestFields{method: addNumber, argLen: pairSize, metaLen: math.MaxUint32, region: 1}, 0},
	{"meta-ends-with-the-region", page64K, requestFields{method: addNumber, argLen: pairSize, metaLen: maxMeta, region: 1, bodyLen: page64K - maxMeta}, statusKept},
	{"meta-beyond-the-region", page64K, requestFields{method: addNumber, argLen: pairSize, metaLen: maxMeta, region: 1, bodyLen: page64K - maxMeta + 1}, 0},
	{"meta-body-wraps", page64K, requestFields{method: addNumber, argLen: pairSize, metaLen: room, region: 1, bodyLen: wrapsTo0}, 0},
	{"meta-and-bytes-wrap", page64K, requestFields{method: bytesNumber, argLen: 1 << 31, metaLen: 1 << 31, region: 1}, 0},
	{"meta-and-bytes-wrap-to-little", 0, requestFields{method: bytesNumber, argLen: 64, metaLen: math.MaxUint32 - 63}, 0},
	{"meta-behind-bytes", page64K, requestFields{method: bytesNumber, argLen: 60_000, metaLen: maxMeta, region: 1, bodyLen: 1408}, statusKept},
	{"meta-behind-bytes-beyond-the-region", page64K, requestFields{method: bytesNumber, argLen: 60_000, metaLen: maxMeta, region: 1, bodyLen: 1409}, 0},
	{"meta-in-no-room-in-place", 0, requestFields{method: placeNumber, argLen: room, metaLen: 1}, 0},
	{"meta-in-place", page64K, requestFields{method: placeNumber, argLen: room, metaLen: 1, region: 1}, statusDone},
	{"meta-of-describe-in-no-region", 0, requestFields{method: describeNumber, metaLen: room + 1}, 0},
})
