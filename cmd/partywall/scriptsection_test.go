package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// versions FILE LAST [FIELD]: each line is a version as section watch --json prints it. They strictly
// increase, what is skipped adds up, and the last one is LAST. If there is a FIELD, its value is the
// version.
func scriptVersions(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: versions FILE LAST [FIELD]")
	}
	last, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	var version, skipped uint64
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var r struct {
			Version, Skipped uint64
			Value            map[string]any
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			ts.Fatalf("%q: %v", line, err)
		}
		if version != 0 && r.Version != version+1+r.Skipped || version == 0 && r.Skipped != 0 {
			ts.Fatalf("behind version %d there is %s", version, line)
		}
		if len(args) == 3 && r.Value[args[2]] != float64(r.Version) {
			ts.Fatalf("%s is not the version in %s", args[2], line)
		}
		version, skipped, n = r.Version, skipped+r.Skipped, n+1
	}
	if version != last {
		ts.Fatalf("the last version is %d", version)
	}
	ts.Logf("%d lines, %d skipped", n, skipped)
}
