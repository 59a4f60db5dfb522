package document_test

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/partywall/partywall/internal/document"
)

func typeOf[T any](tb testing.TB) *document.Type {
	tb.Helper()
	typ, err := document.Of[T]()
	if err != nil {
		tb.Fatal(err)
	}
	return typ
}

func schemaOf[T any](tb testing.TB) *document.Schema {
	tb.Helper()
	return typeOf[T](tb).Schema()
}

func marshal(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := document.Marshal(v)
	if err != nil {
		tb.Fatalf("%+v: %v", v, err)
	}
	return data
}

// same compares values exactly: a nil slice is not an empty one, a time has its
// offset, and NaN is NaN.
var same = cmp.Options{
	cmpopts.EquateNaNs(),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b time.Time) bool {
		_, x := a.Zone()
		_, y := b.Zone()
		return a.Equal(b) && x == y
	}),
}

// roundTrip sends v to a T and returns what arrives.
func roundTrip[T any](tb testing.TB, v any) T {
	tb.Helper()
	var got T
	if err := document.Unmarshal(marshal(tb, v), &got); err != nil {
		tb.Fatalf("%+v: %v", v, err)
	}
	return got
}

func TestSignature(t *testing.T) {
	deep := &document.Schema{Nodes: []document.Node{{Kind: document.List, Elem: 1}, {Kind: document.List}}}
	long := &document.Schema{Nodes: []document.Node{{Kind: document.Struct}, {Kind: document.Bool}}}
	for i := range 100 {
		long.Nodes[0].Fields = append(long.Nodes[0].Fields, document.Field{Name: fmt.Sprintf("field%d", i), Type: 1})
	}
	wide := &document.Schema{Nodes: []document.Node{
		{Kind: document.Tuple, Fields: []document.Field{{Name: strings.Repeat("é", 500), Type: 1}}}, {Kind: document.Bool},
	}}
	tests := []struct {
		s    *document.Schema
		want string
	}{
		{schemaOf[struct{}](t), "{}"},
		{schemaOf[string](t), "string"},
		{schemaOf[Base](t), "{Name string, n uint64}"},
		{schemaOf[basePointer](t), "{Name? string, n? uint64, Own bool}"},
		{schemaOf[shadow](t), "{n uint64, Name int32}"},
		{schemaOf[embedded](t), "{A int8, B int8, Name string, n uint64, Last string}"},
		{schemaOf[tagged](t), "{a int64, bee? int64, - int64, F? int64, G int64, i? *int64}"},
		{schemaOf[twice](t), "{count int64}"},
		{schemaOf[again](t), "{Name string, n uint64}"},
		{schemaOf[taggedWins](t), "{Inner1 {X int64}, X int16}"},
		{schemaOf[keyed](t), "{1 string, -7? string, 1 string}"},
		{schemaOf[pair](t), "(X int16, Y int16, Note string)"},
		{schemaOf[tree](t), "{name string, kids? []..., by? map[string]..., Up *...}"},
		{schemaOf[list](t), "[]..."},
		{schemaOf[all](t), "{Bool bool, Int int64, Int8 int8, Uint16 uint16, Float32 float32, Float64 float64, " +
			"String string, Bytes []byte, Hash [4]byte, Time time, Addr text, Any any, List []{A int8, B int8}, " +
			"Array [2]int32, Map map[int8]string, Pair (X int16, Y int16, Note string), Ptr *int64, Raw any}"},
		{deep, "[][]..."},
		{long, "{" + func() (s string) {
			for i := range 22 {
				s += fmt.Sprintf("field%d bool, ", i)
			}
			return s
		}() + "...}"},
		{wide, "(" + strings.Repeat("é", 50) + "..." + strings.Repeat("é", 50) + " bool)"},
		{&document.Schema{}, "..."},
	}
	for _, tt := range tests {
		if got := tt.s.Signature(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// A signature stays short whatever the schema is.
func TestSignatureBounded(t *testing.T) {
	s := &document.Schema{Nodes: make([]document.Node, 1000)}
	for i := range s.Nodes {
		below := uint32(min(i+1, len(s.Nodes)-1))
		s.Nodes[i] = document.Node{Kind: document.Struct, Fields: []document.Field{{Name: "a", Type: below}, {Name: "b", Type: below}}}
	}
	if got := s.Signature(); len(got) > 1000 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

// Values of hand-written types arrive as they were sent.
func TestRoundTrip(t *testing.T) {
	n := int64(-5)
	p := &n
	zone := time.FixedZone("somewhere", -(9*3600 + 30*60))
	now := time.Date(2026, 2, 3, 4, 5, 6, 789, zone)
	check(t, all{Raw: cbor.RawMessage{0xf6}}) // what a RawMessage makes of null is its own affair
	check(t, all{
		true, -1, -128, 65535, math.MaxFloat32, math.SmallestNonzeroFloat64, "é\x00", []byte{}, [4]byte{1, 2, 3, 4}, now,
		netip.MustParseAddr("fe80::1%eth0"), uint64(math.MaxUint64), []inner{{1, 2}, {}}, [2]int32{3, 4},
		map[int8]string{-3: "x", 7: ""}, pair{X: 1, Y: 2, Note: "n"}, &p, cbor.RawMessage{0xa1, 0x01, 0x02},
	})
	check(t, basePointer{Own: true})
	check(t, basePointer{Base: &Base{Count: 1}})
	check(t, shadow{Base{Count: 2}, 3})
	check(t, embedded{inner{1, 2}, Base{"x", 3}, "y"})
	check(t, keyed{"a", "b", "c"})
	check(t, tagged{A: 1, B: 2, E: 3, F: 4, G: 5, I: new(int)})
	check(t, tagged{})
	agree(t, twice{Left{Base{"l", 1}}, Right{Base{"r", 2}}, 3})
	agree(t, again{Left{Base{"l", 1}}, Base{"b", 2}})
	agree(t, taggedWins{Embed1: Embed1{1, 2}, Embed2: Embed2{3, 4}})
	check(t, tree{Name: "r", Kids: []tree{{Name: "k", Up: &tree{Name: "u"}}}, By: map[string]tree{"": {}}})
	check(t, list{nil, {}, {nil}})
	check(t, []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 0.1, 1})
	check(t, []float32{float32(math.NaN()), float32(math.Inf(-1)), 0.1})
	check(t, map[string][]int(nil))
	check(t, map[string][]int{"nil": nil, "empty": {}})
	check(t, map[uint64]bool{math.MaxUint64: true})
	check(t, []level{0, 1, 5})
	check(t, []opaque{{1}, {-2}})
	check(t, stamped{now})
	check(t, embedsSpecial{special{now, netip.IPv6Loopback(), 3, opaque{4}, "x", &now, map[string]opaque{"a": {1}}}})
	check(t, tuplePointer{Point: &Point{1, 2}, Z: 3})
	check(t, struct{ A, B any }{nil, []any{int64(-1), 1.5, "s", []byte("b"), false, nil, map[string]any{"k": int64(1)}}})
	check(t, []time.Time{{}, now.UTC(), time.Unix(0, 1).UTC(), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, zone)})
}

func check[T any](t *testing.T, v T) {
	t.Helper()
	if diff := cmp.Diff(v, roundTrip[T](t, v), same, allow); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	agree(t, v)
}

// agree checks that the library's own idea of the document agrees with the schema.
func agree[T any](t *testing.T, v T) {
	t.Helper()
	var any any
	if err := cbor.Unmarshal(marshal(t, v), &any); err != nil {
		t.Fatal(err)
	}
	if why := disagree(schemaOf[T](t), 0, any); why != "" {
		t.Errorf("%T: %v: %s", v, any, why)
	}
}

// Types are learned by whoever is first.
func TestConcurrent(t *testing.T) {
	type a struct{ B *struct{ C []map[string]any } }
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				v := roundTrip[a](t, a{&struct{ C []map[string]any }{[]map[string]any{{"x": []string{"y"}}}}})
				if v.B.C[0]["x"].([]any)[0] != "y" {
					t.Errorf("got %v", v)
				}
			}
		})
	}
	wg.Wait()
}

// Lists and maps may be longer than the library allows by itself.
func TestLong(t *testing.T) {
	const n = 1<<17 + 1
	m := make(map[uint32]bool, n)
	for i := range uint32(n) {
		m[i] = true
	}
	if got := roundTrip[map[uint32]bool](t, m); len(got) != n {
		t.Errorf("a map of %d arrives with %d", n, len(got))
	}
	if got := roundTrip[[]int8](t, make([]int8, n)); len(got) != n {
		t.Errorf("a list of %d arrives with %d", n, len(got))
	}
}

// What an any holds arrives as one of a few types.
func TestAny(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	seven := 7
	tests := []struct{ in, want any }{
		{nil, nil},
		{int8(-3), int64(-3)},
		{uint8(3), int64(3)},
		{uint64(math.MaxInt64), int64(math.MaxInt64)},
		{uint64(math.MaxInt64 + 1), uint64(math.MaxInt64 + 1)},
		{int64(math.MinInt64), int64(math.MinInt64)},
		{float32(0.5), 0.5},
		{"x", "x"},
		{level(2), "!!"},
		{now, "2026-02-03T04:05:06Z"},
		{netip.MustParseAddr("::1"), "::1"},
		{[]byte{1}, []byte{1}},
		{[2]byte{1, 2}, []byte{1, 2}},
		{[]string{"a"}, []any{"a"}},
		{[]string(nil), nil},
		{[1]uint64{math.MaxUint64}, []any{uint64(math.MaxUint64)}},
		{map[string]uint64{"big": math.MaxUint64, "one": 1}, map[string]any{"big": uint64(math.MaxUint64), "one": int64(1)}},
		{Base{"x", 3}, map[string]any{"Name": "x", "n": int64(3)}},
		{pair{X: 1}, []any{int64(1), int64(0), ""}},
		{&seven, int64(7)},
		{(*int)(nil), nil},
		{opaque{5}, int64(5)},
		{cbor.RawMessage{0xf5}, true},
	}
	type box struct{ V any }
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%T", tt.in), func(t *testing.T) {
			if diff := cmp.Diff(tt.want, roundTrip[box](t, box{tt.in}).V); diff != "" {
				t.Errorf("in a struct (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, roundTrip[any](t, tt.in)); diff != "" {
				t.Errorf("by itself (-want +got):\n%s", diff)
			}
			big := []any{uint64(math.MaxUint64), tt.want}
			if diff := cmp.Diff(big, roundTrip[any](t, []any{uint64(math.MaxUint64), tt.in})); diff != "" {
				t.Errorf("beside a big integer (-want +got):\n%s", diff)
			}
		})
	}
}

// Big integers are found in every place that an any can be.
func TestAnyPlaces(t *testing.T) {
	type places struct {
		Base
		Any   any
		List  []any
		Array [1]any
		Map   map[int8]any
		Ptr   *any
		Deep  []map[string]*struct{ V any }
		Again *places
		Plain map[string]int
	}
	big := any(uint64(math.MaxUint64))
	v := places{
		Any: []any{big}, List: []any{big}, Array: [1]any{big}, Map: map[int8]any{1: big}, Ptr: &big,
		Deep: []map[string]*struct{ V any }{{"a": {big}, "b": nil}}, Again: &places{Any: map[string]any{"x": big}},
		Plain: map[string]int{"a": 1},
	}
	if diff := cmp.Diff(v, roundTrip[places](t, v)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// null is the zero value of everything, and what was there before is forgotten.
func TestNull(t *testing.T) {
	v := all{Bool: true, Int: 1, String: "x", Map: map[int8]string{1: "x"}, List: []inner{{1, 1}}, Hash: [4]byte{1}}
	if err := document.Unmarshal([]byte{0xf6}, &v); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all{}, v, same, cmp.AllowUnexported(pair{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	type nullable struct {
		Bool   *bool
		Hash   *[4]byte
		Time   *time.Time
		Addr   *netip.Addr
		Array  *[2]int32
		Pair   *pair
		String *string
	}
	v.Bool = true
	if err := document.Unmarshal(marshal(t, nullable{}), &v); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all{}, v, same, cmp.AllowUnexported(pair{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := document.Marshal(nil); err != nil || string(got) != "\xf6" {
		t.Errorf("nil is %x, %v", got, err)
	}
}

// A document is the same whatever order a map happens to have.
func TestDeterministic(t *testing.T) {
	m := map[string]int{}
	for i := range 100 {
		m[fmt.Sprint(i)] = i
	}
	first := marshal(t, m)
	for range 10 {
		if string(marshal(t, m)) != string(first) {
			t.Fatal("two encodings of one map differ")
		}
	}
	core, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	want, err := core.Marshal(m)
	if err != nil || string(want) != string(first) {
		t.Errorf("got %x, want %x, %v", first, want, err)
	}
}
