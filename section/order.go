package section

import (
	"strings"

	"github.com/partywall/partywall/internal/fixed"
)

// inOrder returns a schema with the same fields, each beside those that are in the same struct or
// array. A region that has grown may have them apart: what a struct has got later lies at its
// end. The fields are then not in the order of their offsets.
func inOrder(s *fixed.Schema) *fixed.Schema {
	ordered := *s
	ordered.Fields = make([]fixed.Field, 0, len(s.Fields))
	var root branch
	for _, f := range s.Fields {
		root.add(f)
	}
	root.walk(func(f fixed.Field) { ordered.Fields = append(ordered.Fields, f) })
	return &ordered
}

// A branch has the fields whose paths begin alike.
type branch struct {
	fields []fixed.Field // whose path ends here
	steps  []string
	below  map[string]*branch
}

func (b *branch) add(f fixed.Field) {
	for path := f.Path; path != ""; {
		var step string
		step, path = cutStep(path)
		next := b.below[step]
		if next == nil {
			next = &branch{}
			if b.below == nil {
				b.below = map[string]*branch{}
			}
			b.below[step] = next
			b.steps = append(b.steps, step)
		}
		b = next
	}
	b.fields = append(b.fields, f)
}

func (b *branch) walk(visit func(fixed.Field)) {
	for _, f := range b.fields {
		visit(f)
	}
	for _, step := range b.steps {
		b.below[step].walk(visit)
	}
}

// cutStep cuts the first step off a path: a name, or a dot or bracket and what follows it.
func cutStep(path string) (step, rest string) {
	end := strings.IndexAny(path[1:], ".[") + 1
	if end == 0 {
		end = len(path)
	}
	return path[:end], path[end:]
}
