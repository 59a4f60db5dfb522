package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/pe"
)

// docs/PE.md has the rules of pe audit as they are, and every name that is taken.
func TestPeDocs(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "PE.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, r := range pe.Rules() {
		if row := fmt.Sprintf("| %s | %s | %s |", r.ID, r.Name, r.Severity); !strings.Contains(text, row) {
			t.Errorf("there is no %q", row)
		}
	}
	if n := strings.Count(text, "\n| PW"); n != len(pe.Rules()) {
		t.Errorf("%d rules, and there are %d", n, len(pe.Rules()))
	}
	_, names, _ := strings.Cut(text, "### Names that are taken")
	for name := range meanings {
		if !strings.Contains(names, name) {
			t.Errorf("%s is not among the names that are taken", name)
		}
	}
}

// Each name that a linker uses has a meaning, and none may be given to a new section.
func TestMeanings(t *testing.T) {
	for name := range meanings {
		if _, err := pe.ParseVar(name + ":x:int8"); err == nil {
			t.Errorf("%s is not reserved", name)
		}
	}
	for _, s := range []struct {
		section      pe.Section
		what, mapped string
	}{
		{pe.Section{Name: ".bss", Flags: pe.Read | pe.Write}, "uninitialised data", "copy-on-write"},
		{pe.Section{Name: ".debug_info", Flags: pe.Read}, "debug information", "read only"},
		{pe.Section{Name: "Counter", Flags: pe.Read | pe.Write | pe.Shared}, "its own: data that processes share", "shared"},
		{pe.Section{Name: "INIT", Flags: pe.Read | pe.Execute}, "its own: code", "read only"},
		{pe.Section{Name: "zero", Flags: pe.Read | pe.Write | pe.Uninitialised}, "its own: uninitialised data", "copy-on-write"},
		{pe.Section{Name: "own", Flags: pe.Read | pe.Write}, "its own: data", "copy-on-write"},
		{pe.Section{Name: "own", Flags: pe.Read | pe.Shared}, "its own: read-only data", "shared, read only"},
	} {
		if what, how := meaning(&s.section), mapped(s.section.Flags); what != s.what || how != s.mapped {
			t.Errorf("%+v: %q, %q", s.section, what, how)
		}
	}
}
