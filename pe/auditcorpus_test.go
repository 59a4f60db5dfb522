package pe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// corpora are folders of libraries that others have built.
var corpora = []string{"/usr/lib/x86_64-linux-gnu/wine", "/usr/lib/gcc/x86_64-w64-mingw32", "/usr/x86_64-w64-mingw32"}

// libraries are the paths of the PE files in the corpora that are installed.
func libraries(t *testing.T) (paths []string) {
	t.Helper()
	for _, dir := range corpora {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && slices.Contains([]string{".dll", ".exe", ".drv", ".sys"}, filepath.Ext(path)) {
				paths = append(paths, path)
			}
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			t.Logf("%s is not installed", dir)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if len(paths) == 0 {
		t.Skip("neither Wine nor MinGW is installed")
	}
	return paths
}

// auditPath opens and audits a file.
func auditPath(path string) ([]Finding, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	findings, err := Audit(f)
	return findings, errors.Join(err, f.Close())
}

// TestAuditCorpora: none of the files that Wine and MinGW come with has an error.
func TestAuditCorpora(t *testing.T) {
	paths := libraries(t)
	count := map[string]int{}
	start := time.Now()
	for _, path := range paths {
		findings, err := auditPath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, x := range findings {
			if count[x.RuleID]++; x.Severity == SeverityError || x.RuleID == RuleReservedName {
				t.Errorf("%s: %+v", path, x)
			}
		}
	}
	took := time.Since(start)
	t.Logf("%d files in %v, %.0f files/s; findings %v", len(paths), took.Round(time.Millisecond), float64(len(paths))/took.Seconds(), count)
}

func BenchmarkAudit(b *testing.B) {
	a := audited{change: own(Initialised | Read | Write | Shared)}
	image := a.draw()
	for b.Loop() {
		f, err := New(bytes.NewReader(image), int64(len(image)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Audit(f); err != nil {
			b.Fatal(err)
		}
	}
}

// oraclePatience bounds what objdump may take.
const oraclePatience = 20 * time.Second

// TestAuditAgainstObjdump compares the shared sections, in some of the files and in copies
// with sections that are shared, with those that binutils sees.
func TestAuditAgainstObjdump(t *testing.T) {
	objdump, err := exec.LookPath("x86_64-w64-mingw32-objdump")
	if err != nil {
		t.Skipf("MinGW's binutils are not installed: %v", err)
	}
	var sample []string
	all := libraries(t)
	for i := 0; i < len(all); i += max(1, len(all)/100) {
		sample = append(sample, all[i], withShared(t, all[i], len(sample)/2))
	}
	ctx, cancel := context.WithTimeout(t.Context(), oraclePatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, objdump, append([]string{"-h"}, sample...)...).Output()
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		t.Skipf("objdump takes longer than %v", oraclePatience)
	case errors.As(err, &exit):
		t.Logf("objdump does not read all of them: %s", exit.Stderr)
	case err != nil:
		t.Fatal(err)
	}
	want := objdumpShared(t, string(out))
	sample = slices.DeleteFunc(sample, func(path string) bool { return want[path] == nil })
	shared := 0
	for _, path := range sample {
		findings, err := auditPath(path)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", path, err)
		}
		got := []string{}
		for _, x := range findings {
			if x.RuleID == RuleWritableShared || x.RuleID == RuleReadOnlyShared {
				got = append(got, x.Section)
			}
		}
		slices.Sort(got)
		shared += len(got)
		if diff := cmp.Diff(want[path], got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	t.Logf("%d files, %d shared sections", len(sample), shared)
	if shared < max(1, len(sample)/2) {
		t.Errorf("%d shared sections in %d files, half of which are copies with one at least", shared, len(sample))
	}
}

// withShared copies a file and sets the flag of some of its sections.
func withShared(t *testing.T, path string, seed int) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range f.Sections {
		if i == seed%len(f.Sections) || (i+seed)%4 == 1 {
			at := f.Offsets.SectionTable + int64(i)*sectionHeaderSize + fieldFlags.offset
			binary.LittleEndian.PutUint32(b[at:], uint32(s.Flags|Shared))
		}
	}
	copied := filepath.Join(t.TempDir(), fmt.Sprintf("%d-%s", seed, filepath.Base(path)))
	if err := os.WriteFile(copied, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return copied
}

var (
	objdumpFile    = regexp.MustCompile(`^(.*):     file format `)
	objdumpSection = regexp.MustCompile(`^ *[0-9]+ (.*?) +[0-9a-f]{8}  [0-9a-f]+  [0-9a-f]+  [0-9a-f]{8}  2\*\*`)
	objdumpShareds = regexp.MustCompile(`\bSHARED\b`)
)

// objdumpShared reads what objdump -h prints: for each file the names of its shared sections,
// sorted.
func objdumpShared(t *testing.T, text string) map[string][]string {
	t.Helper()
	shared := map[string][]string{}
	var file, section string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := objdumpFile.FindStringSubmatch(line); m != nil {
			file = m[1]
			shared[file] = []string{}
		} else if m := objdumpSection.FindStringSubmatch(line); m != nil {
			section = m[1]
		} else if objdumpShareds.MatchString(line) {
			shared[file] = append(shared[file], section)
		}
	}
	for _, names := range shared {
		slices.Sort(names)
	}
	return shared
}
