package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A source is a file that a rule may have something to say about: Go of any
// system and build tag, or assembly.
type source struct {
	path      string // from the module's root, with slashes
	test      bool   // _test.go
	asm       bool   // assembly: only path and lines are set
	generated bool
	lines     int
	imports   []mention
	linknames []mention
}

// A mention is something that stands on a line of a source.
type mention struct {
	line int
	what string
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) base() string { return path.Base(s.path) }

// A violation says where a rule is broken and what to do about it.
type violation string

func (s source) violation(line int, format string, args ...any) violation {
	return violation(fmt.Sprintf("%s:%d: ", s.path, line) + fmt.Sprintf(format, args...))
}

// load reads the sources below the root of tree as the go command would see
// them, except that no file is left out for its system or its build tags. A file
// that does not parse is a violation.
func load(tree fs.FS) ([]source, []violation, error) {
	var sources []source
	var broken []violation
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && ignored(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		ext := path.Ext(name)
		if ext != ".go" && !strings.EqualFold(ext, ".s") || ignored(d.Name()) {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		s, err := parse(name, text)
		if err != nil {
			broken = append(broken, violation(err.Error()))
			return nil
		}
		sources = append(sources, s)
		return nil
	})
	return sources, broken, err
}

// ignored reports whether the go command ignores a file or folder of that name.
func ignored(name string) bool {
	return name == "testdata" || name == "vendor" || name[0] == '.' || name[0] == '_'
}

func parse(name string, text []byte) (source, error) {
	s := source{
		path:  name,
		test:  strings.HasSuffix(name, "_test.go"),
		asm:   path.Ext(name) != ".go",
		lines: bytes.Count(text, []byte("\n")),
	}
	if s.asm {
		return s, nil
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return s, err
	}
	s.generated = ast.IsGenerated(file)
	for _, spec := range file.Imports {
		what, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return s, fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		s.imports = append(s.imports, mention{set.Position(spec.Pos()).Line, what})
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:linkname ") {
				s.linknames = append(s.linknames, mention{set.Position(c.Pos()).Line, c.Text})
			}
		}
	}
	return s, nil
}
