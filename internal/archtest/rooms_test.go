package archtest

import (
	"slices"
	"strings"
)

// module is the path of the root module. The modules beside it lie below it.
const module = "github.com/partywall/partywall"

// A room is a folder with one job. What is not granted here is refused.
type room struct {
	// tree: the folders below belong to the room too.
	tree bool
	// ours are the rooms that it may import. Every room may import itself.
	ours []string
	// others are the modules of others that it may import.
	others []string
	// testOthers are those that its _test.go files may import besides.
	testOthers []string
	// anyOther: it may import every other module, being a module of its own.
	anyOther bool
	// forTests: every _test.go file may import it, and nothing else may.
	forTests bool
	// unsafe: its *_unsafe*.go files may import unsafe.
	unsafe bool
	// assembly: it may have assembly files.
	assembly bool
}

const root = "."

var (
	// public are the rooms that users import.
	public = []string{root, "call", "section", "instance", "winmsg", "procmem", "pe"}

	// inner are the rooms that public ones are built from.
	inner = []string{
		root, "internal/fixed", "internal/document", "internal/jsonview", "internal/region", "internal/wait",
		"internal/peer", "internal/rendezvous", "internal/backing", "internal/model", "internal/winapi",
	}

	// system is what a room of internal that speaks to the system may import.
	system = []string{root, "internal/winapi"}
)

const (
	xsys  = "golang.org/x/sys"
	cbor  = "github.com/fxamacker/cbor"
	cobra = "github.com/spf13/cobra"
	pflag = "github.com/spf13/pflag"
)

// testLibraries may be imported by every _test.go file and by internal/proctest.
var testLibraries = []string{
	"github.com/google/go-cmp",
	"github.com/rogpeppe/go-internal",
	"github.com/santhosh-tekuri/jsonschema",
	"go.uber.org/goleak",
	"pgregory.net/rapid",
}

// rooms is the plan of the house.
var rooms = map[string]room{
	root: {},

	"call":          {ours: inner, others: []string{cbor}, testOthers: []string{xsys}, unsafe: true},
	"call/calltest": {ours: []string{root, "call"}, forTests: true},

	"section":  {ours: inner, others: []string{cbor}, testOthers: []string{xsys}, unsafe: true},
	"instance": {ours: with(inner, "call", "section", "pe")},
	"procmem":  {ours: inner, others: []string{xsys}, unsafe: true},
	"winmsg":   {ours: with(inner, "procmem"), others: []string{xsys}, unsafe: true},
	"pe":       {ours: inner, others: []string{xsys}, unsafe: true},

	"cmd":      {tree: true, ours: with(public, "examples", "internal/doctor", "internal/wait"), others: []string{cobra, pflag}},
	"examples": {tree: true, ours: public},
	"bench":    {tree: true, ours: public, anyOther: true},

	"internal/fixed":      {ours: []string{root}, unsafe: true},
	"internal/document":   {ours: []string{root}, others: []string{cbor}},
	"internal/jsonview":   {ours: []string{root, "internal/fixed", "internal/document"}, others: []string{cbor}},
	"internal/region":     {ours: system, others: []string{xsys}, unsafe: true},
	"internal/wait":       {ours: system, others: []string{xsys}, unsafe: true, assembly: true},
	"internal/peer":       {ours: system, others: []string{xsys}},
	"internal/rendezvous": {ours: with(system, "internal/peer", "internal/region", "internal/wait"), others: []string{xsys}},
	"internal/backing":    {ours: with(system, "internal/peer", "internal/region", "internal/rendezvous", "internal/wait"), others: []string{xsys}, unsafe: true},
	"internal/doctor":     {ours: with(system, "internal/peer", "internal/region", "internal/rendezvous", "internal/wait"), others: []string{xsys}, unsafe: true},
	"internal/model":      {},
	"internal/winapi":     {others: []string{xsys}, unsafe: true},

	"internal/proctest": {ours: system, others: append([]string{xsys}, testLibraries...), forTests: true, unsafe: true},
	"internal/archtest": {},
}

func with(rooms []string, more ...string) []string {
	return append(slices.Clip(slices.Clone(rooms)), more...)
}

// roomOf finds the room that a folder of the repository belongs to.
func roomOf(dir string) (name string, r room, ok bool) {
	if r, ok := rooms[dir]; ok {
		return dir, r, true
	}
	for name, r := range rooms {
		if r.tree && within(dir, name) {
			return name, r, true
		}
	}
	return "", room{}, false
}

// within reports whether an import path or folder is base or lies below it.
func within(p, base string) bool {
	return p == base || strings.HasPrefix(p, base+"/")
}
