package call

import (
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// The tables are docs/LAYOUT.md's, and their numbers are written out: a change
// here is a change of ProtocolVersion.

func TestConstants(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"version", ProtocolVersion, 3},
		{"most slots", maxSlots, 1024},
		{"least room", minRoom, 448},
		{"most room", maxRoom, 65536},
		{"part header", partHeader, 64},
		{"client's doorbell", clientBellOffset, 128},
		{"client's processor", clientCPUOffset, 132},
		{"server's doorbell", serverBellOffset, 256},
		{"server's processor", serverCPUOffset, 260},
		{"pending", pendingOffset, 384},
		{"slots", slotsOffset, 4096},
		{"smallest body region", minBody, 64 << 10},
		{"large body regions' multiple", roundBody, 64 << 20},
		{"flag cancellable", flagCancellable, 1},
		{"flag deadline", flagDeadline, 2},
		{"flag fetch", flagFetch, 4},
		{"known flags", knownFlags, 7},
		{"done", statusDone, 1},
		{"kept", statusKept, 2},
		{"error", statusError, 3},
		{"panic", statusPanic, 4},
		{"refused", statusRefused, 5},
		{"quota", statusQuota, 6},
		{"layout", statusLayout, 7},
		{"metadata", maxMeta, 4096},
		{"HELLO", msgHello, 1},
		{"WELCOME", msgWelcome, 2},
		{"REFUSE", msgRefuse, 3},
		{"RESOLVE", msgResolve, 4},
		{"RESOLVED", msgResolved, 5},
		{"LEND", msgLend, 6},
		{"LENT", msgLent, 7},
		{"UNLEND", msgUnlend, 8},
		{"CANCEL", msgCancel, 9},
		{"RING", msgRing, 10},
		{"BYE", msgBye, 11},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d, LAYOUT.md says %d", c.what, c.got, c.want)
		}
	}
	if string(magic[:]) != "PWALLCT3" {
		t.Errorf("magic is %q", magic)
	}
}

type place struct{ offset, size uintptr }

// placesOf lists the named fields of a struct, embedded ones by their own.
func placesOf(t reflect.Type, at uintptr, into map[string]place) {
	for i := range t.NumField() {
		switch f := t.Field(i); {
		case f.Anonymous:
			placesOf(f.Type, at+f.Offset, into)
		case f.Name != "_":
			into[f.Name] = place{at + f.Offset, f.Type.Size()}
		}
	}
}

func TestStructs(t *testing.T) {
	for _, s := range []struct {
		of     reflect.Type
		size   uintptr
		fields map[string]place
	}{
		{reflect.TypeFor[controlHeader](), 24, map[string]place{
			"magic": {0, 8}, "version": {8, 4}, "slots": {12, 4}, "argRoom": {16, 4}, "resultRoom": {20, 4},
		}},
		{reflect.TypeFor[requestPart](), partHeader, map[string]place{
			"seq": {0, 4}, "waits": {4, 4}, "method": {8, 4}, "flags": {12, 4}, "argLen": {16, 4}, "region": {20, 4},
			"deadline": {24, 8}, "bodyLen": {32, 8}, "metaLen": {40, 4},
		}},
		{reflect.TypeFor[responsePart](), partHeader, map[string]place{
			"seq": {0, 4}, "status": {8, 4}, "resultLen": {12, 4}, "bodyLen": {16, 8},
		}},
		{reflect.TypeFor[requestFields](), 40, map[string]place{
			"method": {0, 4}, "flags": {4, 4}, "argLen": {8, 4}, "region": {12, 4}, "deadline": {16, 8}, "bodyLen": {24, 8},
			"metaLen": {32, 4},
		}},
		{reflect.TypeFor[responseFields](), 16, map[string]place{
			"status": {0, 4}, "resultLen": {4, 4}, "bodyLen": {8, 8},
		}},
		{reflect.TypeFor[atomic.Uint32](), 4, map[string]place{"v": {0, 4}}},
		{reflect.TypeFor[atomic.Uint64](), 8, map[string]place{"v": {0, 8}}},
	} {
		if s.of.Size() != s.size {
			t.Errorf("%v has %d bytes, want %d", s.of, s.of.Size(), s.size)
		}
		got := map[string]place{}
		placesOf(s.of, 0, got)
		if !reflect.DeepEqual(got, s.fields) {
			t.Errorf("%v: %v, want %v", s.of, got, s.fields)
		}
	}
}

func TestGeometry(t *testing.T) {
	for _, test := range []struct {
		g                   geometry
		request, slot, size int
	}{
		{geometry{64, 448, 448}, 512, 1024, 4096 + 64*1024},
		{geometry{1024, 448, 448}, 512, 1024, 4096 + 1024*1024},
		{geometry{128, 512, 448}, 640, 1152, 4096 + 128*1152},
		{geometry{64, 448, 65536}, 512, 512 + 65664, 4096 + 64*(512+65664)},
		{geometry{1024, 65536, 65536}, 65664, 2 * 65664, 4096 + 1024*2*65664},
	} {
		if err := test.g.check(); err != nil {
			t.Error(err)
		}
		if r, s := test.g.requestSize(), test.g.slotSize(); r != test.request || s != test.slot {
			t.Errorf("%v: request %d, slot %d; want %d, %d", test.g, r, s, test.request, test.slot)
		}
		page := os.Getpagesize()
		if got, want := test.g.size(), int64((test.size+page-1)/page*page); got != want {
			t.Errorf("%v: %d bytes, want %d", test.g, got, want)
		}
	}
	for _, bad := range []struct {
		g    geometry
		word string
	}{
		{geometry{0, 448, 448}, "slots"},
		{geometry{-64, 448, 448}, "slots"},
		{geometry{63, 448, 448}, "slots"},
		{geometry{65, 448, 448}, "slots"},
		{geometry{1088, 448, 448}, "slots"},
		{geometry{64, 384, 448}, "argument"},
		{geometry{64, 449, 448}, "argument"},
		{geometry{64, 65600, 448}, "argument"},
		{geometry{64, -448, 448}, "argument"},
		{geometry{64, 448, 0}, "result"},
		{geometry{64, 448, 500}, "result"},
		{geometry{64, 448, 1 << 30}, "result"},
	} {
		if err := bad.g.check(); err == nil || !strings.Contains(err.Error(), bad.word) {
			t.Errorf("%v: %v", bad.g, err)
		}
	}
}

func TestBodyPlaces(t *testing.T) {
	for n, want := range map[uint64]uint64{0: 0, 1: 64, 63: 64, 64: 64, 65: 128, 1 << 30: 1 << 30, 1<<30 - 1: 1 << 30} {
		if got := bodyOffset(n); got != want {
			t.Errorf("a result's body behind %d bytes lies at %d, want %d", n, got, want)
		}
	}
	const mib = 1 << 20
	for _, test := range []struct{ n, quota, want int64 }{
		{0, 1 << 40, minBody},
		{1, 1 << 40, minBody},
		{minBody, 1 << 40, minBody},
		{minBody + 1, 1 << 40, 2 * minBody},
		{mib, 1 << 40, mib},
		{33 * mib, 1 << 40, 64 * mib},
		{64*mib + 1, 1 << 40, 128 * mib},
		{129 * mib, 1 << 40, 192 * mib},
		{1 << 30, 1 << 40, 1 << 30},
		{3 * mib, 3 * mib, 3 * mib},
		{3*mib - 1, 3 * mib, 3 * mib},
		{2*mib + 1, 3 * mib, 2*mib + minBody},
		{65 * mib, 100 * mib, 65 * mib},
	} {
		if got := bodyClass(test.n, test.quota); got != test.want {
			t.Errorf("a need of %d within %d takes %d, want %d", test.n, test.quota, got, test.want)
		}
	}
}
