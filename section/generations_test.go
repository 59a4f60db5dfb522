package section_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/section"
)

// A pool is what the types of a family of programs are made of: fields by their names, each with the
// types that it has had. The first of them is the one that most programs have.
var pool = []struct {
	name  string
	types []reflect.Type
}{
	{"A", types(float64(0), float32(0), [1]float64{})},
	{"B", types(uint8(0), int8(0), false)},
	{"C", types(uint16(0), [2]uint16{})},
	{"D", types([3]bool{}, [4]bool{})},
	{"E", types(int64(0))},
	{"F", types(complex64(0), complex128(0))},
	{"Text", types([32]byte{}, [33]byte{})},
	{"In", types(struct{ X int32 }{}, struct {
		Y bool
		X int32
	}{}, struct {
		X int32
		Z struct{ W uint64 }
	}{}, struct{ X int16 }{}, int32(0), [1]struct{ X int32 }{})},
	{"List", types([2]struct{ P uint8 }{}, [3]struct {
		Q uint64
		P uint8
	}{}, [1]struct{ P uint8 }{}, [2]uint8{})},
}

func types(values ...any) (all []reflect.Type) {
	for _, v := range values {
		all = append(all, reflect.TypeOf(v))
	}
	return all
}

// programType makes a type up: some of the pool's fields in some order. odd is how many of a
// hundred fields are not of the type that most have.
func programType(random *rand.Rand, odd int) reflect.Type {
	var fields []reflect.StructField
	for _, i := range random.Perm(len(pool)) {
		if random.IntN(2) == 0 {
			continue
		}
		f := reflect.StructField{Name: pool[i].name, Type: pool[i].types[0]}
		if random.IntN(100) < odd {
			f.Type = pool[i].types[random.IntN(len(pool[i].types))]
		}
		fields = append(fields, f)
	}
	return reflect.StructOf(fields)
}

// A nodes tells what stands at each path of a layout and above it: a number, a struct or an array.
type nodes map[string]string

func nodesOf(s *fixed.Schema) nodes {
	n := nodes{}
	for _, f := range s.Fields {
		n[f.Path] = fmt.Sprint(f.Kind, f.Count)
		for i := len(f.Path) - 1; i > 0; i-- {
			switch f.Path[i] {
			case '.':
				n[f.Path[:i]] = "struct"
			case '[':
				n[f.Path[:i]] = "array"
			}
		}
	}
	return n
}

// conflicts returns the paths at which two layouts have different things.
func (n nodes) conflicts(o nodes) (paths []string) {
	for path, what := range n {
		if other, both := o[path]; both && other != what {
			paths = append(paths, path)
		}
	}
	return paths
}

// An oracle is what a section has to hold: the bytes of each field, by its path.
type oracle struct {
	nodes  nodes
	values map[string][]byte
}

func part(value []byte, f *fixed.Field) []byte { return value[f.Offset : f.Offset+f.Size*f.Count] }

// store notes a value.
func (o *oracle) store(s *fixed.Schema, value []byte) {
	for i := range s.Fields {
		o.values[s.Fields[i].Path] = bytes.Clone(part(value, &s.Fields[i]))
	}
}

// check returns which field of a value is not what it has to be.
func (o *oracle) check(s *fixed.Schema, value []byte) error {
	for i := range s.Fields {
		f := &s.Fields[i]
		want := o.values[f.Path]
		if want == nil {
			want = make([]byte, f.Size*f.Count)
		}
		if got := part(value, f); !bytes.Equal(got, want) {
			return fmt.Errorf("field %s is % x, want % x", f.Path, got, want)
		}
	}
	return nil
}

// randomValue makes a value of a layout: any bytes but in bools, and zeros in the padding.
func randomValue(random *rand.Rand, s *fixed.Schema) []byte {
	value := make([]byte, s.Size)
	for i := range s.Fields {
		f := &s.Fields[i]
		for j := range part(value, f) {
			part(value, f)[j] = byte(random.Uint32())
			if f.Kind == fixed.Bool {
				part(value, f)[j] &= 1
			}
		}
	}
	return value
}

// Programs of different generations share a section: each finds its fields by their names, right, and what it
// does not know it leaves alone; or it is refused, and told which field cannot be both.
func TestGenerations(t *testing.T) {
	refused, joined, grown := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		odd := rapid.SampledFrom([]int{0, 0, 10, 50}).Draw(t, "odd")
		truth := oracle{nodes{}, map[string][]byte{}}
		var programs []*section.Program
		defer func() {
			for _, p := range programs {
				p.Close()
			}
		}()
		for range rapid.IntRange(4, 30).Draw(t, "steps") {
			if len(programs) == 0 || len(programs) < 4 && random.IntN(4) == 0 {
				typ := programType(random, odd)
				p, err := section.OpenProgram("generations", typ)
				mine := layoutOf(t, typ)
				bad := nodesOf(mine).conflicts(truth.nodes)
				if err != nil {
					if len(bad) == 0 || !errors.Is(err, partywall.ErrLayout) || !names(err, bad) {
						t.Fatalf("%v: %v; different are %q", typ, err, bad)
					}
					refused++
					continue
				}
				if len(bad) != 0 {
					t.Fatalf("%v joins, though %q are different", typ, bad)
				}
				joined++
				programs = append(programs, p)
				for path, what := range nodesOf(mine) {
					truth.nodes[path] = what
				}
				continue
			}
			p := programs[random.IntN(len(programs))]
			schema := p.Type().Schema()
			if random.IntN(2) == 0 {
				value := randomValue(random, schema)
				if _, err := p.Store(value); err != nil {
					t.Fatal(err)
				}
				truth.store(schema, value)
			}
			for _, p := range programs {
				value := make([]byte, p.Type().Size())
				if _, err := p.Load(value); err != nil {
					t.Fatal(err)
				}
				if err := truth.check(p.Type().Schema(), value); err != nil {
					t.Fatalf("%v of %v", err, p.Type())
				}
			}
		}
		for _, p := range programs {
			if generation, _ := p.Generation(); generation > 1 {
				grown++
			}
		}
	})
	t.Logf("%d programs joined, %d were refused, %d were on a region that had grown", joined, refused, grown)
	if joined == 0 || refused == 0 || grown == 0 {
		t.Error("the programs are not of different generations")
	}
}

func layoutOf(t rapid.TB, typ reflect.Type) *fixed.Schema {
	of, err := fixed.OfType(typ)
	if err != nil {
		t.Fatal(err)
	}
	return of.Schema()
}

// names reports whether an error names one of the paths.
func names(err error, paths []string) bool {
	for _, path := range paths {
		if strings.Contains(err.Error(), "field "+path+" ") || strings.Contains(err.Error(), "field "+path+":") {
			return true
		}
	}
	return false
}
