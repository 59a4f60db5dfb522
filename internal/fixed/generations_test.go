package fixed_test

import (
	"fmt"
	"reflect"

	"pgregory.net/rapid"
)

// A world is what the generations of one type choose their fields from: a basic
// value or an array of them, or a struct or an array of structs.
type world struct {
	basic reflect.Type
	list  bool
	names []string
	kids  []*world
}

func drawWorld(t *rapid.T, depth int) *world {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "nested") == 0 {
		w := &world{basic: rapid.SampledFrom(basics).Draw(t, "basic")}
		if n := rapid.IntRange(0, 3).Draw(t, "count"); n > 0 {
			w.basic = reflect.ArrayOf(n, w.basic)
		}
		return w
	}
	return drawStruct(t, depth)
}

func drawStruct(t *rapid.T, depth int) *world {
	w := &world{list: rapid.Bool().Draw(t, "list")}
	for i := range rapid.IntRange(1, 5).Draw(t, "fields") {
		w.names = append(w.names, fmt.Sprintf("F%d", i))
		w.kids = append(w.kids, drawWorld(t, depth-1))
	}
	return w
}

// draw makes one generation: some of the fields, in any order, with padding
// between them.
func (w *world) draw(t *rapid.T) reflect.Type {
	if w.basic != nil {
		return w.basic
	}
	var fields []reflect.StructField
	order := make([]int, len(w.kids))
	for i := range order {
		order[i] = i
	}
	for _, i := range rapid.Permutation(order).Draw(t, "order") {
		if rapid.IntRange(0, 3).Draw(t, "leave out") == 0 {
			continue
		}
		if rapid.IntRange(0, 5).Draw(t, "blank") == 0 {
			fields = append(fields, reflect.StructField{Name: "_", PkgPath: "fixed_test", Type: rapid.SampledFrom(basics).Draw(t, "padding")})
		}
		fields = append(fields, reflect.StructField{Name: w.names[i], Type: w.kids[i].draw(t)})
	}
	s := reflect.StructOf(fields)
	if w.list {
		return reflect.ArrayOf(rapid.IntRange(1, 3).Draw(t, "len"), s)
	}
	return s
}

// drawFrom makes a type whose fields, if it has any, have types from the pool.
func drawFrom(t *rapid.T, pool []reflect.Type) reflect.Type {
	if rapid.IntRange(0, 5).Draw(t, "as it is") == 0 {
		return rapid.SampledFrom(pool).Draw(t, "type")
	}
	var fields []reflect.StructField
	for i := range 4 {
		if rapid.Bool().Draw(t, "leave out") {
			continue
		}
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: rapid.SampledFrom(pool).Draw(t, "type")})
	}
	return reflect.StructOf(fields)
}
