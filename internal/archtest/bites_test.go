package archtest

import (
	"strings"
	"testing"
	"testing/fstest"
)

// imports is a Go file of one import, after the lines given.
func imports(what string, before ...string) string {
	return strings.Join(append(before, "package p", "", "import _ \""+what+"\"", ""), "\n")
}

// ours is the import path of a room.
func ours(room string) string { return module + "/" + room }

// A rule that cannot fail is no rule: each has to find what breaks it, and to
// leave alone what does not.
func TestRulesBite(t *testing.T) {
	const fine = "package p\n"
	linkname := "package p\n\n//go:linkname nanotime runtime.nanotime\nfunc nanotime() int64\n"
	long := func(lines int) string { return fine + strings.Repeat("\n", lines-1) }

	for _, c := range []struct {
		rule string
		path string
		text string
		want string // part of the violation; empty: there is none
	}{
		{"rooms", "attic/a.go", fine, "attic/a.go:1: folder attic is no room"},
		{"rooms", "call/attic/a.go", fine, "folder call/attic is no room"},
		{"rooms", "internal/attic/a_windows.go", fine, "folder internal/attic is no room"},
		{"rooms", "attic/a_test.go", fine, "folder attic is no room"},
		{"rooms", "call/a.go", fine, ""},
		{"rooms", "a.go", fine, ""},
		{"rooms", "examples/compare/server/a.go", fine, ""},
		{"rooms", "call/testdata/attic/a.go", fine, ""},

		{"directions", "a.go", imports(ours("call")), "a.go:3: . may not import call"},
		{"directions", "a.go", imports(ours("internal/fixed")), ". may not import internal/fixed"},
		{"directions", "call/a.go", imports(ours("section")), "call may not import section"},
		{"directions", "call/a_test.go", imports(ours("section")), "call may not import section"},
		{"directions", "call/a_plan9.go", imports(ours("section")), "call may not import section"},
		{"directions", "call/a.go", imports(ours("section"), "//go:build never", ""), "call may not import section"},
		{"directions", "call/a.go", imports(ours("call/attic")), "imports call/attic, which is no room"},
		{"directions", "section/a.go", imports(ours("winmsg")), "section may not import winmsg"},
		{"directions", "procmem/a.go", imports(ours("winmsg")), "procmem may not import winmsg"},
		{"directions", "call/a.go", imports(ours("instance")), "call may not import instance"},
		{"directions", "pe/a.go", imports(ours("instance")), "pe may not import instance"},
		{"directions", "instance/a.go", imports(ours("winmsg")), "instance may not import winmsg"},
		{"directions", "cmd/partywall/a.go", imports(ours("internal/region")), "cmd may not import internal/region"},
		{"directions", "examples/compare/a.go", imports(ours("internal/fixed")), "examples may not import internal/fixed"},
		{"directions", "examples/compare/a.go", imports(ours("cmd/partywall")), "examples may not import cmd"},
		{"directions", "bench/a.go", imports(ours("internal/wait")), "bench may not import internal/wait"},
		{"directions", "internal/region/a.go", imports(ours("call")), "internal/region may not import call"},
		{"directions", "internal/region/a.go", imports(ours("internal/wait")), "internal/region may not import internal/wait"},
		{"directions", "internal/peer/a.go", imports(ours("internal/rendezvous")), "internal/peer may not import"},
		{"directions", "internal/fixed/a.go", imports(ours("internal/winapi")), "internal/fixed may not import"},
		{"directions", "internal/model/a.go", imports(module), "internal/model may not import .;"},
		{"directions", "call/a.go", imports(ours("internal/proctest")), "for _test.go files only"},
		{"directions", "internal/wait/a.go", imports(ours("internal/proctest")), "for _test.go files only"},
		{"directions", "call/a_test.go", imports(ours("internal/archtest")), "call may not import internal/archtest"},
		{"directions", "call/a.go", imports(ours("internal/region")), ""},
		{"directions", "call/a.go", imports(module), ""},
		{"directions", "call/a.go", imports(module + "x/call"), ""},
		{"directions", "call/a_test.go", imports(ours("call")), ""},
		{"directions", "call/a_test.go", imports(ours("internal/proctest")), ""},
		{"directions", "instance/a.go", imports(ours("section")), ""},
		{"directions", "instance/a.go", imports(ours("pe")), ""},
		{"directions", "winmsg/a.go", imports(ours("procmem")), ""},
		{"directions", "cmd/partywall/a.go", imports(ours("examples/compare")), ""},
		{"directions", "internal/rendezvous/a.go", imports(ours("internal/peer")), ""},

		{"others", "a.go", imports("golang.org/x/sys/unix"), "a.go:3: . may not import golang.org/x/sys/unix"},
		{"others", "call/a.go", imports("golang.org/x/sys/unix"), "call may not import"},
		{"others", "call/a.go", imports("github.com/spf13/cobra"), "call may not import"},
		{"others", "call/a.go", imports("pgregory.net/rapid"), "call may not import"},
		{"others", "examples/compare/a.go", imports("github.com/spf13/cobra"), "examples may not import"},
		{"others", "internal/fixed/a.go", imports("golang.org/x/sys/windows"), "internal/fixed may not import"},
		{"others", "internal/wait/a.go", imports("golang.org/x/system"), "internal/wait may not import"},
		{"others", "cmd/partywall/a.go", imports("github.com/google/go-cmp/cmp"), "cmd may not import"},
		{"others", "call/a_test.go", imports("github.com/stretchr/testify/assert"), "call may not import"},
		{"others", "internal/wait/a.go", imports("golang.org/x/sys/unix"), ""},
		{"others", "cmd/partywall/a.go", imports("github.com/spf13/cobra"), ""},
		{"others", "call/a.go", imports("github.com/fxamacker/cbor/v2"), ""},
		{"others", "call/a_test.go", imports("pgregory.net/rapid"), ""},
		{"others", "call/a_test.go", imports("golang.org/x/sys/unix"), ""},
		{"others", "internal/proctest/a.go", imports("go.uber.org/goleak"), ""},
		{"others", "bench/a.go", imports("google.golang.org/grpc"), ""},
		{"others", "call/a.go", imports("encoding/binary"), ""},

		{"cgo", "call/a.go", imports("C"), "call/a.go:3: imports C"},
		{"cgo", "call/a_test.go", imports("C"), "imports C"},
		{"cgo", "call/a.go", imports("errors"), ""},

		{"unsafe", "call/a.go", imports("unsafe"), "call/a.go:3: imports unsafe: it belongs in a file named *_unsafe*.go"},
		{"unsafe", "call/unsafe.go", imports("unsafe"), "imports unsafe"},
		{"unsafe", "call/a_test.go", imports("unsafe"), "named *_unsafe*_test.go"},
		{"unsafe", "a_unsafe.go", imports("unsafe"), "this room has no unsafe code"},
		{"unsafe", "instance/a_unsafe.go", imports("unsafe"), "this room has no unsafe code"},
		{"unsafe", "internal/peer/a_unsafe_linux.go", imports("unsafe"), "this room has no unsafe code"},
		{"unsafe", "cmd/partywall/a_unsafe.go", imports("unsafe"), "this room has no unsafe code"},
		{"unsafe", "internal/wait/a.go", linkname, "internal/wait/a.go:3: has go:linkname"},
		{"unsafe", "internal/wait/a_unsafe.go", linkname, ""},
		{"unsafe", "internal/region/a_unsafe_windows.go", imports("unsafe"), ""},
		{"unsafe", "internal/fixed/a_unsafe_test.go", imports("unsafe"), ""},
		{"unsafe", "internal/fixed/a.go", imports("errors"), ""},

		{"assembly", "call/a_amd64.s", "TEXT ·f(SB), $0\n", "call/a_amd64.s:1: is assembly"},
		{"assembly", "internal/region/a.S", "", "is assembly"},
		{"assembly", "internal/wait/pause_arm64.s", "", ""},

		{"length", "call/a.go", long(501), "call/a.go:501: 501 lines"},
		{"length", "call/a_test.go", long(501), "501 lines"},
		{"length", "internal/wait/a.s", strings.Repeat("\n", 501), "501 lines"},
		{"length", "call/a.go", long(500), ""},
		{"length", "internal/winapi/z.go", "// Code generated by x; DO NOT EDIT.\n" + long(501), ""},
	} {
		t.Run(c.rule+"/"+c.path, func(t *testing.T) {
			sources, broken, err := load(fstest.MapFS{c.path: {Data: []byte(c.text)}})
			if err != nil || len(broken) != 0 {
				t.Fatal(err, broken)
			}
			var got []violation
			for _, s := range sources {
				got = append(got, rules[c.rule](s)...)
			}
			switch {
			case c.want == "" && len(got) != 0:
				t.Errorf("a rule that should not mind says %q", got)
			case c.want != "" && (len(got) != 1 || !strings.Contains(string(got[0]), c.want)):
				t.Errorf("got %q, want one that has %q", got, c.want)
			}
		})
	}
}

// A file that the parser cannot read must not slip through.
func TestBrokenSourceIsFound(t *testing.T) {
	_, broken, err := load(fstest.MapFS{"call/a_windows.go": {Data: []byte("package p\nimport (")}})
	if err != nil {
		t.Fatal(err)
	}
	if len(broken) != 1 || !strings.Contains(string(broken[0]), "call/a_windows.go:2") {
		t.Errorf("got %q, want one that names call/a_windows.go:2", broken)
	}
}
