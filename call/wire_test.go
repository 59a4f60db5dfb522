package call

import (
	"bytes"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/partywall/partywall"
)

// check decodes a payload as a T. What is accepted must come out again as what
// it was taken for; what is not must be the peer's fault.
func check[T any](t *testing.T, payload []byte) bool {
	t.Helper()
	v, err := decode[T](payload)
	if err != nil {
		if !errors.Is(err, partywall.ErrProtocol) {
			t.Fatalf("%T: %v", v, err)
		}
		return false
	}
	again, err := decode[T](encode(v))
	if err != nil {
		t.Fatalf("%+v goes out and does not come in: %v", v, err)
	}
	if diff := cmp.Diff(v, again, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("goes out and comes in:\n%s", diff)
	}
	return true
}

// FuzzWire decodes foreign bytes as each message. Its corpus is in testdata.
func FuzzWire(f *testing.F) {
	f.Fuzz(func(t *testing.T, payload []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		check[hello](t, payload)
		check[welcome](t, payload)
		check[refusal](t, payload)
		check[resolve](t, payload)
		check[resolved](t, payload)
		check[lend](t, payload)
		check[lent](t, payload)
		check[unlend](t, payload)
		check[cancellation](t, payload)
		if r, err := decode[refusal](payload); err == nil && strings.ContainsAny(r.err().Error(), "\n\x1b\x00") {
			t.Fatalf("%q goes to the terminal", r.err())
		}
		runtime.ReadMemStats(&after)
		// Whatever lengths the bytes announce, what is held is some times the
		// bytes themselves.
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20+1000*uint64(len(payload)) {
			t.Fatalf("%d bytes took %d of memory", len(payload), took)
		}
	})
}

// FuzzForm reads foreign bytes as a schema, and a value of it. Whatever the schema
// says, it is compared with those of this process, described, and zero.
func FuzzForm(f *testing.F) {
	var own []*form
	for _, c := range []*core{&fuzzMethod.core, &describeMethod.core, &fuzzPlace.core} {
		own = append(own, &c.arg, &c.result)
		f.Add(c.arg.schema, []byte("\xa0"))
		f.Add(c.result.schema, []byte("\xf6"))
	}
	for _, schema := range []string{"", "pwb\x01", "pwb\x01\x00", "pwd\x01\x81\x81\x09", "pwd\x01\x81\x82\x0a\x00", "pws\x01", "pwd\x02\x81"} {
		f.Add([]byte(schema), []byte("\x00"))
	}
	f.Fuzz(func(t *testing.T, schema, value []byte) {
		theirs, err := formFrom(schema)
		if err != nil {
			if !errors.Is(err, partywall.ErrProtocol) || strings.ContainsAny(err.Error(), "\n\x1b\x00") {
				t.Fatalf("%q", err)
			}
			return
		}
		if err := theirs.match(schema); err != nil {
			t.Fatalf("it does not match itself: %v", err)
		}
		for _, mine := range own {
			here, there := mine.match(schema), theirs.match(mine.schema)
			if (here == nil) != (there == nil) || here != nil && !errors.Is(here, partywall.ErrLayout) {
				t.Fatalf("from this side %v, from that one %v", here, there)
			}
		}
		if theirs.room() > theirs.most() || theirs.most() > 1<<30 || !theirs.legal(uint32(theirs.most())) || theirs.legal(uint32(theirs.most())+1) {
			t.Fatalf("room for %d bytes, %d at most", theirs.room(), theirs.most())
		}
		if d := theirs.describe(); d.Form == "" || len(d.Signature) > 1000 || strings.ContainsAny(d.Signature, "\n\x1b\x00") {
			t.Fatalf("%+v", d)
		}
		if theirs.room() > maxRoom {
			return // learn refuses it
		}
		zero, err := theirs.fromJSON(nil)
		if err != nil || !theirs.legal(uint32(len(zero))) {
			t.Fatalf("zero has %d bytes: %v", len(zero), err)
		}
		for _, data := range [][]byte{zero, value} {
			text, err := theirs.toJSON(data)
			if err != nil && !errors.Is(err, partywall.ErrProtocol) || err == nil && !json.Valid(text) {
				t.Fatalf("% x as JSON: %q, %v", data, text, err)
			}
		}
	})
}

// What FuzzForm compares schemas with.
var (
	fuzzMethod = NewMethod[struct {
		Text string
		Next *Description `json:"next,omitempty"`
	}, []byte]("fuzz")
	fuzzPlace = NewInPlace[struct {
		A int32
		B [3]struct{ C, D float32 }
	}, uint64]("fuzz.place")
)

// FuzzMeta reads foreign bytes as metadata. What is accepted is a map of texts, and goes
// out as it came in.
func FuzzMeta(f *testing.F) {
	for _, b := range []string{"", "\xa0", "\xa1\x61k\x61v", "\xf6", "\xf7", "\xa1\x61k\xf6", "\xa1\xf6\x61v", "\xa2\x60\x60\x60\x60",
		"\xa1\x41k\x61v", "\xa1\x01\x61v", "\xbf\xff", "\xbb\xff\xff\xff\xff\xff\xff\xff\xff", "\x81\x81\x81", "\xa1\x61k\x61\xff"} {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxMeta {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		metadata, err := decodeMeta(b)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Fatalf("%d bytes took %d of memory", len(b), took)
		}
		if err != nil {
			return
		}
		if metadata == nil || len(metadata) > maxMetaKeys {
			t.Fatalf("%d keys: %v", len(metadata), metadata)
		}
		if len(b) > 0 && !mapOfTexts(b) {
			t.Fatalf("% x is metadata: %v", b, metadata)
		}
		out, err := encodeMeta(metadata)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeMeta(out)
		if diff := cmp.Diff(metadata, again); err != nil || diff != "" {
			t.Fatalf("goes out and comes in: %v\n%s", err, diff)
		}
	})
}

// mapOfTexts reports whether b is a map of texts, and nothing else.
func mapOfTexts(b []byte) bool {
	pairs, b, ok := cborHead(b, 5)
	for range 2 * min(pairs, maxMeta) {
		var n uint64
		if n, b, ok = cborHead(b, 3); !ok || n > uint64(len(b)) {
			return false
		}
		b = b[n:]
	}
	return ok && len(b) == 0
}

// cborHead reads the head of an item of that major type: RFC 8949, section 3.
func cborHead(b []byte, major byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 || b[0]>>5 != major {
		return 0, nil, false
	}
	n, b = uint64(b[0]&31), b[1:]
	if n < 24 {
		return n, b, true
	}
	size := 1 << (n - 24)
	if n > 27 || len(b) < size {
		return 0, nil, false
	}
	n = 0
	for _, c := range b[:size] {
		n = n<<8 | uint64(c)
	}
	return n, b[size:], true
}

func TestWire(t *testing.T) {
	schema := bytes.Repeat([]byte{1, 2, 3}, 1000)
	for _, ok := range []bool{
		check[hello](t, encode(hello{ProtocolVersion, "a/name"})),
		check[welcome](t, encode(welcome{1024, 448, 65536, 1<<64 - 1})),
		check[refusal](t, encode(refusal{3, "it is full"})),
		check[resolve](t, encode(resolve{1, "method", schema, nil, true})),
		check[resolved](t, encode(resolved{1<<32 - 1, 0, schema, schema, false})),
		check[lend](t, encode(lend{1, 1 << 40})),
		check[lent](t, encode(lent{1, refusal{6, "too much"}})),
		check[unlend](t, encode(unlend{1<<32 - 1})),
		check[cancellation](t, encode(cancellation{1023, 0})),
	} {
		if !ok {
			t.Error("a message of our own is refused")
		}
	}
	// A later version may add fields.
	if v, err := decode[hello]([]byte("\xa3\x01\x07\x02\x61x\x18\x63\x01")); err != nil || v.Version != 7 || v.Service != "x" {
		t.Errorf("%+v, %v", v, err)
	}
	for what, payload := range map[string]string{
		"nothing":             "",
		"not a map":           "\x01",
		"an array":            "\x80",
		"cut off":             "\xa1\x01",
		"key twice":           "\xa2\x01\x01\x01\x02",
		"trailing":            "\xa1\x01\x01\x00",
		"number too large":    "\xa1\x01\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
		"negative":            "\xa1\x01\x20",
		"wrong kind":          "\xa1\x02\x01",
		"indefinite map":      "\xbf\x01\x01\xff",
		"indefinite text":     "\xa1\x02\x7f\x61x\xff",
		"tag":                 "\xc1\xa1\x01\x01",
		"no UTF-8":            "\xa1\x02\x61\xff",
		"huge text announced": "\xa1\x02\x7b\x00\x00\x00\x7f\xff\xff\xff\xff",
		"huge map announced":  "\xbb\x00\x00\x00\x7f\xff\xff\xff\xff",
		"many pairs":          "\xb1" + strings.Repeat("\x18\x20\x00", 17),
	} {
		if v, err := decode[hello]([]byte(payload)); !errors.Is(err, partywall.ErrProtocol) {
			t.Errorf("%s: %+v, %v", what, v, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, sentinel := range []error{partywall.ErrVersion, partywall.ErrNotFound, partywall.ErrBusy, partywall.ErrShutdown, partywall.ErrProtocol, partywall.ErrTooLarge} {
		r, err := decode[refusal](encode(refusalOf(sentinel)))
		if err != nil || !errors.Is(r.err(), sentinel) || r.err().Error() != sentinel.Error() {
			t.Errorf("%v becomes %v, %v", sentinel, r.err(), err)
		}
	}
	for _, code := range []uint32{0, 7, 1<<32 - 1} {
		err := refusal{Code: code, Text: "a\nb\x1b[2J"}.err()
		if !errors.Is(err, partywall.ErrProtocol) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("code %d: %q", code, err)
		}
	}
	// An error that quotes bytes which are no text still reaches the client.
	r := refusalOf(errors.New("open /tmp/\xff: denied"))
	if _, err := decode[refusal](encode(r)); err != nil {
		t.Errorf("a refusal does not arrive: %v", err)
	}
}
