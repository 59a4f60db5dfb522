//go:build linux || windows

package call

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/partywall/partywall"
)

// selfOf is what a server says of itself, changed.
func selfOf(change map[string]any) string {
	self := map[string]any{
		"service": "another", "protocol_version": 99, "pid": 1, "uid": 12345, "program": "liar",
		"started": "2001-02-03T04:05:06Z", "conns": 1, "in_flight": 1, "calls": 10, "errors": 1,
		"methods": []any{methodSelf(nil)},
	}
	maps.Copy(self, change)
	return string(encode(self))
}

func methodSelf(change map[string]any) map[string]any {
	method := map[string]any{
		"name": "lie", "in_place": true, "calls": 7, "errors": 1, "times": []any{spanOf(1, 2, 3)},
		"arg":    map[string]any{"form": "fixed", "signature": "int64", "schema": []byte("garbage")},
		"result": map[string]any{"form": "", "signature": "", "schema": []byte{}},
	}
	maps.Copy(method, change)
	return method
}

func spanOf(from, to, count any) map[string]any {
	return map[string]any{"from_ns": from, "to_ns": to, "count": count}
}

// many is a text of CBOR: an array of n times the same.
func many(n uint32, item string) string {
	return string([]byte{0x9a, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + strings.Repeat(item, int(n))
}

// selves are what a server may say of itself, right or wrong. They take a while to
// make, and few of the processes of these tests ask for them.
var selves = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"no-lie":            selfOf(nil),
		"nothing":           "\xa0",
		"null":              "\xf6",
		"negative-conns":    selfOf(map[string]any{"conns": -5, "in_flight": -1 << 31, "pid": -1, "uid": -1}),
		"most-calls":        selfOf(map[string]any{"calls": uint64(1<<64 - 1), "errors": uint64(1<<64 - 1)}),
		"no-methods":        selfOf(map[string]any{"methods": []any{}}),
		"null-methods":      selfOf(map[string]any{"methods": nil}),
		"null-method":       selfOf(map[string]any{"methods": []any{nil, nil}}),
		"same-methods":      selfOf(map[string]any{"methods": []any{methodSelf(nil), methodSelf(nil)}}),
		"reserved-method":   selfOf(map[string]any{"methods": []any{methodSelf(map[string]any{"name": describeMethod.name})}}),
		"method-no-name":    selfOf(map[string]any{"methods": []any{methodSelf(map[string]any{"name": ""})}}),
		"method-ugly":       selfOf(map[string]any{"methods": []any{methodSelf(map[string]any{"name": ugly})}}),
		"method-long-name":  selfOf(map[string]any{"methods": []any{methodSelf(map[string]any{"name": strings.Repeat("x", 100_000)})}}),
		"program-ugly":      selfOf(map[string]any{"program": ugly}),
		"form-ugly":         selfOf(map[string]any{"methods": []any{methodSelf(map[string]any{"arg": map[string]any{"form": ugly, "signature": ugly}})}}),
		"started-never":     selfOf(map[string]any{"started": "0001-01-01T00:00:00Z"}),
		"started-late":      selfOf(map[string]any{"started": "9999-12-31T23:59:59.999999999+23:59"}),
		"times-wrong":       selfOf(map[string]any{"methods": []any{methodSelf(map[string]any{"times": []any{spanOf(9, 3, 5), spanOf(-1, int64(-1<<63), 0), spanOf(int64(1<<62), 1, uint64(1<<64-1))}})}}),
		"times-overflow":    selfOf(map[string]any{"methods": []any{methodSelf(map[string]any{"times": []any{spanOf(0, 1, uint64(1<<64-1)), spanOf(1, 2, uint64(1<<63))}})}}),
		"unknown-field":     selfOf(map[string]any{"colour": "blue"}),
		"some-methods":      "\xa1\x67methods" + many(10_000, "\xa0"),
		"negative-calls":    selfOf(map[string]any{"calls": -1}),
		"too-many-conns":    selfOf(map[string]any{"conns": uint64(1 << 63)}),
		"version-too-large": selfOf(map[string]any{"protocol_version": int64(1 << 32)}),
		"started-garbage":   selfOf(map[string]any{"started": "yesterday"}),
		"started-number":    selfOf(map[string]any{"started": 7}),
		"program-bytes":     selfOf(map[string]any{"program": []byte("liar")}),
		"methods-map":       selfOf(map[string]any{"methods": map[string]any{}}),
		"method-number":     selfOf(map[string]any{"methods": []any{7}}),
		"schema-text":       selfOf(map[string]any{"methods": []any{methodSelf(map[string]any{"arg": map[string]any{"schema": "text"}})}}),
		"millions":          "\xa1\x67methods" + many(4<<20, "\xa0"),
		"millions-of-null":  "\xa1\x67methods" + many(4<<20, "\xf6"),
		"millions-of-times": "\xa1\x67methods\x81\xa1\x65times" + many(1<<20, "\xf6"),
		"millions-of-keys":  string([]byte{0xba, 0, 0x10, 0, 0}) + strings.Repeat("\x61x\xf6", 1<<20),
		"announced":         "\xa1\x67methods\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
		"deeper-unknown":    bigNotDocuments["deeper-unknown"],
		"a-break":           notDocuments["a-break"],
		"a-number":          notDocuments["a-number"],
		"an-array":          notDocuments["an-array"],
		"a-tag":             notDocuments["a-tag"],
		"cut-off-key":       notDocuments["cut-off-key"],
		"indefinite-map":    notDocuments["indefinite-map"],
		"huge-map":          notDocuments["huge-map"],
		"huge-map-of-32":    notDocuments["huge-map-of-32"],
		"deep-arrays":       notDocuments["deep-arrays"],
		"deep-tags":         notDocuments["deep-tags"],
	}
})

// goodSelves are those that are read, wrong or not. All others are no description.
var goodSelves = strings.Fields(`no-lie nothing null negative-conns most-calls no-methods null-methods null-method
	same-methods reserved-method method-no-name method-ugly method-long-name program-ugly form-ugly started-never started-late
	times-wrong times-overflow unknown-field some-methods millions-of-times`)

// describing asks a liar what it is. What the kernel knows it does not say.
func describing(ctx context.Context, c *Conn) error {
	var before, after runtime.MemStats
	for _, name := range slices.Sorted(maps.Keys(selves())) {
		runtime.ReadMemStats(&before)
		d, err := c.Describe(ctx)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 300<<20 {
			return fmt.Errorf("%s: %d bytes take %d of memory", name, len(selves()[name]), took)
		}
		if !slices.Contains(goodSelves, name) {
			if !errors.Is(err, partywall.ErrLayout) || cleanText(err.Error()) != err.Error() {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		if err == nil {
			err = fitToShow(d)
		}
		if err == nil && (d.PID != c.Peer().PID || d.UID != os.Getuid() || d.Service != c.Service()) {
			err = fmt.Errorf("it is %q, process %d of user %d", d.Service, d.PID, d.UID)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// fitToShow checks that a description can be shown to people.
func fitToShow(d Description) error {
	texts := []string{d.Program}
	for _, m := range d.Methods {
		texts = append(texts, m.Name, m.Arg.Form, m.Arg.Signature, m.Result.Form, m.Result.Signature)
		for _, q := range []float64{0, 0.5, 1} {
			m.Times.Quantile(q) // returns
		}
	}
	for _, text := range texts {
		if cleanText(text) != text {
			return fmt.Errorf("the text %.100q is not fit for a terminal", text)
		}
	}
	return nil
}

// selfLies are lies of a server about itself.
var selfLies = []serverLie{
	{name: "describe", do: describing, want: errNone, lives: true, lie: func(l *lyingServer) error { return garbageOf(selves())(l) }},
	{name: "describe-unknown", do: func(ctx context.Context, c *Conn) error {
		_, err := c.Describe(ctx)
		return err
	}, want: partywall.ErrNotFound, lives: true, prepare: resolving(func(r *resolved) { r.Method = 0 })},
	{name: "describe-another-type", do: func(ctx context.Context, c *Conn) error {
		_, err := c.Describe(ctx)
		return err
	}, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) { r.Result = lieNotes.arg.schema })},
}
