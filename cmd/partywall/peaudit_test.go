package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/partywall/partywall/pe"
)

// library FILE SECTION...: write a DLL with a variable in each section, which is shared, or
// not if its name ends in "=private".
func scriptLibrary(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: library FILE SECTION...")
	}
	ts.Check(writeLibrary(ts.MkAbs(args[0]), args[1:]...))
}

func writeLibrary(path string, sections ...string) error {
	d := pe.DLL{Name: filepath.Base(path)}
	for i, name := range sections {
		name, private := strings.CutSuffix(name, "=private")
		d.Vars = append(d.Vars, pe.Var{Section: name, Name: fmt.Sprintf("v%d", i), Type: pe.Int32, Private: private})
	}
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

// The report does not depend on how many files are read at once, nor on who is first.
func TestAuditOrder(t *testing.T) {
	dir := t.TempDir()
	for i := range 60 {
		name := fmt.Sprintf("%d/%d.dll", i%7, i)
		section := "s"
		if i%3 == 0 {
			section = "s=private"
		}
		if err := writeLibrary(filepath.Join(dir, name), section); err != nil {
			t.Fatal(err)
		}
	}
	want := ""
	for _, jobs := range []int{1, 2, 50, 1000} {
		a := newAudit(&auditPlan{jobs: jobs})
		if err := a.read(t.Context(), []string{filepath.Join(dir, "3"), dir, dir + "/./"}); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := errors.Join(a.text(&out), a.json(&out), pe.WriteSARIF(&out, a.reports())); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = out.String()
			if !strings.Contains(want, "60 files audited, 40 with findings: 40 errors, 0 warnings, 0 notes\n") {
				t.Error(want)
			}
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%d jobs: %s", jobs, diff)
		}
	}
}

func TestAuditInterrupted(t *testing.T) {
	dir := t.TempDir()
	for i := range 10 {
		if err := writeLibrary(filepath.Join(dir, fmt.Sprint(i)), "s"); err != nil {
			t.Fatal(err)
		}
	}
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	a := newAudit(&auditPlan{jobs: 2})
	if err := a.read(ctx, []string{dir}); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
	if n := a.done.Load(); n > 0 {
		t.Errorf("%d files are audited after the end", n)
	}
}

// What others wrote reaches neither terminals nor JSON as it is.
func TestAuditHostileNames(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.dll")
	if err := writeLibrary(path, "abcdefgh"); err != nil {
		t.Fatal(err)
	}
	library, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	library = bytes.Replace(library, []byte("abcdefgh"), []byte("ab\x1b[3m\xff\n"), 1)
	if err := os.WriteFile(path, library, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(dir, "x\x1b[31m.dll")); err != nil {
		t.Logf("no such names here: %v", err)
	}
	a := newAudit(&auditPlan{jobs: 1})
	if err := a.read(t.Context(), []string{dir}); err != nil {
		t.Fatal(err)
	}
	var text, object bytes.Buffer
	if err := errors.Join(a.text(&text), a.json(&object)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), `"ab\x1b[3m\xff\n"`) {
		t.Errorf("the section's name is not in %q", text.String())
	}
	if strings.ContainsFunc(text.String(), func(r rune) bool { return r < ' ' && r != '\n' }) {
		t.Errorf("%q", text.String())
	}
	if !json.Valid(object.Bytes()) {
		t.Errorf("%s", object.Bytes())
	}
}
