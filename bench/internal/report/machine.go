package report

import (
	"runtime"
	"runtime/debug"
)

// OfThisMachine describes it.
func OfThisMachine() Machine {
	m := Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.GOMAXPROCS(0)}
	m.ask()
	return m
}

// OfThisProgram returns the versions of Go and of the modules that this program is built from.
func OfThisProgram() map[string]string {
	versions := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			continue // partywall itself, of this tree
		}
		versions[m.Path] = m.Version
	}
	for _, s := range info.Settings { // there are none unless it was built with -buildvcs
		switch {
		case s.Key == "vcs.revision":
			versions["partywall"] = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			versions["partywall"] += ", changed"
		}
	}
	return versions
}
