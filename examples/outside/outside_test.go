//go:build linux

// Package outside tests that a module of somebody else's can use this one: it builds
// the README's example in one, and runs it as two processes.
package outside

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const program = `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/partywall/partywall/call"
)

%s

func main() {
	ctx := context.Background()
	if len(os.Args) > 1 {
		fmt.Println("serving")
		log.Fatal(serve(ctx))
	}
	sum, err := ask(ctx)
	fmt.Println(sum, err)
}
`

// readme returns the first Go code in README.md.
func readme(t *testing.T, root string) string {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```go\n")
	code, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("README.md has no example")
	}
	return code
}

func write(t *testing.T, name, text string) {
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestModuleOutside(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("PARTYWALL_DIR", filepath.Join(dir, "run"))
	write(t, filepath.Join(dir, "main.go"), fmt.Sprintf(program, readme(t, root)))
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("mod", "init", "example.com/outside")
	run("mod", "edit", "-replace=github.com/partywall/partywall="+root)
	run("mod", "tidy")
	run("build", "-o", "outside", ".")

	server := exec.Command(filepath.Join(dir, "outside"), "serve")
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
	got, err := exec.Command(filepath.Join(dir, "outside")).CombinedOutput()
	if string(got) != "{42} <nil>\n" || err != nil {
		t.Fatalf("it prints %q, %v", got, err)
	}
	// What the module needs of others is little.
	sums, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", sums)
}
