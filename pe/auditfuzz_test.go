package pe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const auditSeeds = "testdata/fuzz/FuzzAudit"

// TestAuditSeeds compares the seeds of FuzzAudit with the files of TestAudit that they are.
func TestAuditSeeds(t *testing.T) {
	for _, a := range auditedFiles() {
		path := filepath.Join(auditSeeds, a.name)
		want := fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", a.draw())
		if *updateSeeds {
			if err := errors.Join(os.MkdirAll(auditSeeds, 0o755), os.WriteFile(path, want, 0o644)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the file of that name: %v; go test -run TestAuditSeeds -update-seeds writes it", path, err)
		}
	}
}

// FuzzAudit audits any bytes as a file and as a loaded image.
func FuzzAudit(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, mapped := range []bool{false, true} {
			file, err := parse(bytes.NewReader(b), int64(len(b)), mapped)
			if err != nil {
				continue
			}
			findings, err := AuditOptions{Checksum: true}.Audit(file)
			if err != nil && !errors.Is(err, ErrFormat) {
				t.Errorf("error %v", err)
			}
			for _, x := range findings {
				if !mapped { // whose size may be less than that of its headers
					checkFinding(t, file, x)
				}
			}
			if !slices.IsSortedFunc(findings, func(x, y Finding) int { return cmp.Compare(x.RuleID, y.RuleID) }) {
				t.Errorf("not in the order of the rules: %v", findings)
			}
			if len(findings) > maxFindings*len(rules) {
				t.Errorf("%d findings", len(findings))
			}
			if err := WriteSARIF(&validJSON{t: t}, []Report{{File: "x", Findings: findings, Err: err}}); err != nil {
				t.Error(err)
			}
		}
	})
}

// validJSON is a writer that checks what is written to it at once.
type validJSON struct{ t *testing.T }

func (v *validJSON) Write(p []byte) (int, error) {
	if !json.Valid(p) {
		v.t.Errorf("no JSON: %q", p)
	}
	return len(p), nil
}

var _ io.Writer = (*validJSON)(nil)
