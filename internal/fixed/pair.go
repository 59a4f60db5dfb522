package fixed

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/partywall/partywall"
)

// pairUp finds the fields that two schemas have in common. For each field of
// here, partner has the index of the field of there with the same path, or -1;
// shared is the number of those that are not -1.
//
// The error wraps [partywall.ErrLayout] and names a field about which the
// schemas disagree: its kind or its count differs, or its path is that of a
// number in one and of a struct in the other. A schema that contradicts itself,
// as one from [ParseSchema] may, is an error of the same sort.
//
// Both schemas may be hostile as long as they are well formed. The paths are
// sorted, so the time grows with the bytes of the paths and the logarithm of
// their number, whatever stands in them.
func pairUp(here, there *Schema) (partner []int32, shared int, err error) {
	if how := bareAndNone(here, there); how != "" {
		return nil, 0, fmt.Errorf("%w: %s", partywall.ErrLayout, how)
	}
	partner = make([]int32, len(here.Fields))
	all := make([]member, 0, len(here.Fields)+len(there.Fields))
	for i := range here.Fields {
		partner[i] = -1
		all = append(all, member{&here.Fields[i], int32(i), true})
	}
	for i := range there.Fields {
		all = append(all, member{&there.Fields[i], int32(i), false})
	}
	slices.SortFunc(all, func(a, b member) int { return comparePaths(a.Path, b.Path) })

	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if b.here && !a.here {
			a, b = b, a
		}
		var how string
		switch {
		case a.Path != b.Path:
			how = clash(a, b)
		case a.here && !b.here:
			how = unlike(a.Field, b.Field)
			partner[a.index] = b.index
			shared++
		}
		if how != "" {
			return nil, 0, fmt.Errorf("%w: %s", partywall.ErrLayout, how)
		}
	}
	return partner, shared, nil
}

// A member is a field of one of the two schemas that pairUp compares.
type member struct {
	*Field
	index int32
	here  bool
}

// bareAndNone says how a schema that is a value by itself differs from one
// without any fields, whose lack of paths leaves clash nothing to compare.
func bareAndNone(here, there *Schema) string {
	bare := func(s *Schema) bool { return len(s.Fields) == 1 && s.Fields[0].Path == "" }
	switch {
	case bare(here) && len(there.Fields) == 0:
		return fmt.Sprintf("the value is %s here and has no fields there", here.Fields[0].typeWords())
	case bare(there) && len(here.Fields) == 0:
		return fmt.Sprintf("the value has no fields here and is %s there", there.Fields[0].typeWords())
	}
	return ""
}

// clash says how two different paths contradict each other, or "" if they do
// not. What they have in common must not be a number by one and a struct or an
// array by the other, nor a struct by one and an array by the other.
//
// Among all paths of two schemas it is enough to look at neighbours, because
// [comparePaths] puts what is below a path right behind it: first what makes it
// a number, then what makes it a struct, then what makes it an array.
func clash(a, b member) string {
	at := common(a.Path, b.Path)
	is, isToo := a.shape(at), b.shape(at)
	if is == "" || isToo == "" || is == isToo {
		return ""
	}
	what := "the value"
	if at > 0 {
		what = "field " + a.Path[:at]
	}
	switch {
	case a.here != b.here:
		return fmt.Sprintf("%s is %s here and %s there", what, is, isToo)
	case a.here:
		return fmt.Sprintf("%s is both %s and %s here", what, is, isToo)
	}
	return fmt.Sprintf("%s is both %s and %s there", what, is, isToo)
}

// shape says what the first at bytes of the path are the path of, or "" if they
// end within a name.
func (m member) shape(at int) string {
	switch {
	case at == len(m.Path):
		return m.typeWords()
	case m.Path[at] == '[':
		return "an array of structs"
	case m.Path[at] == '.', at == 0:
		return "a struct"
	}
	return ""
}

// comparePaths orders paths so that what is below a path follows it at once.
func comparePaths(a, b string) int {
	at := common(a, b)
	return cmp.Compare(rank(a, at), rank(b, at))
}

// rank orders what may follow the first at bytes of a path.
func rank(path string, at int) int {
	switch {
	case at == len(path):
		return -3
	case path[at] == '.':
		return -2
	case path[at] == '[':
		return -1
	}
	return int(path[at])
}

// common returns the number of bytes that a and b begin with in common.
func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
