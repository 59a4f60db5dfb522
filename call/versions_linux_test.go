package call_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

// Two versions of a service and of its client, built apart: each client with each
// server.
func TestVersions(t *testing.T) {
	leaks := proctest.Watch(t)
	bin := t.TempDir()
	for _, version := range []string{"old", "new"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(bin, version), "./testdata/versions/"+version)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	const (
		oldAsk = "ask: {Length:5 Echo:three}, <nil>\n"
		mirror = "mirror: {X:-1 Y:-2}, <nil>\n"
	)
	for _, test := range []struct {
		client, server string
		want           []string
	}{
		{"old", "old", []string{oldAsk, mirror}},
		{"old", "new", []string{oldAsk, mirror}},
		{"new", "new", []string{
			"ask: {Echo:THREE Length:5 Words:<nil>}, &{Count:1 All:[THREE]}, <nil>\n", mirror,
			"count: 4, not found: false\n", "broken: true, ", "strict: false, <nil>\n"}},
		{"new", "old", []string{
			"ask: {Echo:three Length:5 Words:<nil>}, <nil>, <nil>\n", mirror,
			"count: 0, not found: true\n", "broken: true, ", "strict: true, "}},
	} {
		t.Run(test.client+" client, "+test.server+" server", func(t *testing.T) {
			t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
			server := exec.Command(filepath.Join(bin, test.server), "serve")
			server.Stderr = os.Stderr
			out, err := server.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			defer server.Wait()
			defer server.Process.Kill()
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "serving\n" {
				t.Fatal(line, err)
			}
			got, err := exec.Command(filepath.Join(bin, test.client), "call").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, got)
			}
			lines := strings.SplitAfter(string(got), "\n")
			if len(lines) != len(test.want)+1 {
				t.Fatalf("it prints %q", got)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("%q, want %q", lines[i], want)
				}
			}
			// What does not match is named.
			if test.client == "new" && !strings.Contains(lines[3], "field text: it is int64 here and string there") {
				t.Errorf("%q", lines[3])
			}
			if test.client == "new" && test.server == "old" && !strings.Contains(lines[4], "field upper") {
				t.Errorf("%q", lines[4])
			}
		})
	}
	leaks.Check()
}
