package archtest

import (
	"path"
	"slices"
	"strings"
)

// A rule looks at one source and says what is wrong with it.
type rule func(source) []violation

// rules are all the rules about sources, by the name of the test that a file
// breaking them fails.
var rules = map[string]rule{
	"rooms":      checkRoom,
	"directions": checkDirections,
	"others":     checkOthers,
	"cgo":        checkCgo,
	"unsafe":     checkUnsafe,
	"assembly":   checkAssembly,
	"length":     checkLength,
}

const (
	maxLines  = 500 // of any file that is not generated
	aimsLines = 300 // of a file that is not a test either
)

// checkRoom: every source belongs to a room.
func checkRoom(s source) []violation {
	if _, _, ok := roomOf(s.dir()); ok {
		return nil
	}
	return []violation{s.violation(1, "folder %s is no room of the house: add it to the table in "+
		"internal/archtest/rooms_test.go and to docs/ARCHITECTURE.md", s.dir())}
}

// checkDirections: rooms import only the rooms that the plan says.
func checkDirections(s source) (bad []violation) {
	from, r, ok := roomOf(s.dir())
	if !ok {
		return nil // checkRoom says so
	}
	for _, i := range s.imports {
		if !within(i.what, module) {
			continue
		}
		dir := strings.TrimPrefix(strings.TrimPrefix(i.what, module), "/")
		if dir == "" {
			dir = root
		}
		to, target, ok := roomOf(dir)
		switch {
		case !ok:
			bad = append(bad, s.violation(i.line, "imports %s, which is no room of the house", dir))
		case to == from:
		case target.forTests && s.test:
		case target.forTests:
			bad = append(bad, s.violation(i.line, "imports %s, which is for _test.go files only", to))
		case !slices.Contains(r.ours, to):
			bad = append(bad, s.violation(i.line, "%s may not import %s; it may import: %s",
				from, to, list(r.ours)))
		}
	}
	return bad
}

// checkOthers: rooms import only the modules of others that the plan says.
func checkOthers(s source) (bad []violation) {
	from, r, ok := roomOf(s.dir())
	if !ok || r.anyOther {
		return nil
	}
	allowed := r.others
	if s.test {
		allowed = with(with(allowed, testLibraries...), r.testOthers...)
	}
	for _, i := range s.imports {
		first, _, _ := strings.Cut(i.what, "/")
		if !strings.Contains(first, ".") || within(i.what, module) {
			continue // the standard library has no dot there
		}
		if !slices.ContainsFunc(allowed, func(m string) bool { return within(i.what, m) }) {
			bad = append(bad, s.violation(i.line, "%s may not import %s here; it may import: %s",
				from, i.what, list(allowed)))
		}
	}
	return bad
}

// checkCgo: there is no cgo.
func checkCgo(s source) (bad []violation) {
	for _, i := range s.imports {
		if i.what == "C" {
			bad = append(bad, s.violation(i.line, "imports C: there is no cgo here"))
		}
	}
	return bad
}

// checkUnsafe: unsafe and linkname stand only in files that are named for it, in
// the rooms that may.
func checkUnsafe(s source) (bad []violation) {
	_, r, _ := roomOf(s.dir())
	pattern := "*_unsafe*.go"
	if s.test {
		pattern = "*_unsafe*_test.go"
	}
	named, err := path.Match(pattern, s.base())
	if err != nil {
		panic(err)
	}
	if r.unsafe && named {
		return nil
	}
	where := "this room has no unsafe code"
	if r.unsafe {
		where = "it belongs in a file named " + pattern
	}
	for _, i := range s.imports {
		if i.what == "unsafe" {
			bad = append(bad, s.violation(i.line, "imports unsafe: %s", where))
		}
	}
	for _, l := range s.linknames {
		bad = append(bad, s.violation(l.line, "has go:linkname: %s", where))
	}
	return bad
}

// checkAssembly: assembly stands only in the rooms that may.
func checkAssembly(s source) []violation {
	if _, r, _ := roomOf(s.dir()); !s.asm || r.assembly {
		return nil
	}
	return []violation{s.violation(1, "is assembly, and %s is no room for it", s.dir())}
}

// checkLength: a file can be read in one go.
func checkLength(s source) []violation {
	if s.generated || s.lines <= maxLines {
		return nil
	}
	return []violation{s.violation(s.lines, "%d lines: split it, at most %d", s.lines, maxLines)}
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
