package call

import (
	"bytes"
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

func TestWire(t *testing.T) {
	schema := bytes.Repeat([]byte{1, 2, 3}, 1000)
	for _, ok := range []bool{
		check[hello](t, encode(hello{ProtocolVersion, "a/name"})),
		check[welcome](t, encode(welcome{1024, 448, 65536, 1<<64 - 1})),
		check[refusal](t, encode(refusal{3, "it is full"})),
		check[resolve](t, encode(resolve{1, "method", schema, nil})),
		check[resolved](t, encode(resolved{1<<32 - 1, 0, schema, schema})),
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
