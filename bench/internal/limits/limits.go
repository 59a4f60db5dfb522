// Package limits measures in C: what the machine itself can do, and messaging libraries that are written
// in C or C++. The sources are part of this program, and compiled when it runs.
package limits

import (
	"embed"
	"time"

	"github.com/partywall/partywall/bench/internal/report"
)

//go:embed c
var sources embed.FS

// A program is one C source and how it is linked.
type program struct {
	name    string
	library string // -l
	debian  string // the package that has the library's headers
	ways    []way
}

// A way is one mode of a program.
type way struct {
	name, title, mode string
	paced             bool // it makes sense at a rate
	from              int  // the smallest size that makes sense
}

var programs = []program{
	{name: "limits", ways: []way{
		{name: report.SpinLimit, title: "C, spinning", mode: "spin"},
		{name: report.FutexLimit, title: "C, futex", mode: "futex", paced: true},
		{name: report.MemcpyLimit, title: "C, one memcpy", mode: "memcpy", from: 4096},
	}},
	{name: "zmq", library: "zmq", debian: "libzmq3-dev", ways: []way{{name: "zeromq", title: "ZeroMQ (C)", mode: "ipc", paced: true}}},
	{name: "nng", library: "nng", debian: "libnng-dev", ways: []way{{name: "nng", title: "nng (C)", mode: "ipc", paced: true}}},
}

// Names returns what can be measured here, compiler and libraries permitting.
func Names() (names []string) {
	for _, p := range programs {
		for _, w := range p.ways {
			names = append(names, w.name)
		}
	}
	return names
}

// An Entry is a way that was compiled.
type Entry struct {
	Name, Title string
	way         way
	path, dir   string
}

// Does reports whether the entry has something to say about a cell: all have one thread.
func (e Entry) Does(c report.Cell) bool {
	return c.Goroutines == 1 && !c.Deadline && (c.Rate == 0 || e.way.paced) && c.Size >= e.way.from
}

// patience is how much longer than planned a program may take.
const patience = time.Minute
