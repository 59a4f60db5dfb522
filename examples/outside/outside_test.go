//go:build linux

// Package outside tests that a module of somebody else's can use this one: it builds
// the README's examples in one, and runs each as two processes.
package outside

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const callProgram = `package main

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

const sectionProgram = `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/partywall/partywall/section"
)

%s

func main() {
	ctx := context.Background()
	if len(os.Args) > 1 {
		fmt.Println("following")
		log.Fatal(follow(ctx))
	}
	// So that the section is there from one measurement to the next.
	plant, err := section.Open[Plant]("plant/line1")
	if err != nil {
		log.Fatal(err)
	}
	defer plant.Close()
	fmt.Println(measure(ctx), measure(ctx))
}
`

// readme returns the n-th Go code in README.md.
func readme(t *testing.T, root string, n int) string {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "```go\n")
	if len(parts) <= n {
		t.Fatalf("README.md has %d examples", len(parts)-1)
	}
	code, _, _ := strings.Cut(parts[n], "```")
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
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	for i, program := range []string{callProgram, sectionProgram} {
		name := []string{"call", "section"}[i]
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, "main.go"), fmt.Sprintf(program, readme(t, root, i+1)))
	}
	run("mod", "init", "example.com/outside")
	run("mod", "edit", "-replace=github.com/partywall/partywall="+root)
	run("mod", "tidy")
	run("build", "-o", filepath.Join(dir, "bin")+"/", "./...")

	bin := filepath.Join(dir, "bin")
	server := start(t, filepath.Join(bin, "call"), "serve")
	server.expect(t, "serving\n")
	if got := output(t, filepath.Join(bin, "call")); got != "{42} <nil>\n" {
		t.Errorf("it prints %q", got)
	}
	follower := start(t, filepath.Join(bin, "section"), "follow")
	follower.expect(t, "following\n")
	if got := output(t, filepath.Join(bin, "section")); got != "<nil> <nil>\n" {
		t.Errorf("it prints %q", got)
	}
	// It may have missed the first version, and has not missed the last.
	for line := ""; line != "2 2\n"; {
		if line, err = follower.out.ReadString('\n'); err != nil || line != "1 1\n" && line != "2 2\n" {
			t.Fatalf("the follower prints %q, %v", line, err)
		}
	}
	// What the module needs of others is little.
	sums, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", sums)
}

type process struct{ out *bufio.Reader }

// start starts a program, which is killed when the test ends.
func start(t *testing.T, name string, args ...string) process {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	return process{bufio.NewReader(out)}
}

func (p process) expect(t *testing.T, want string) {
	t.Helper()
	if line, err := p.out.ReadString('\n'); line != want {
		t.Fatalf("it prints %q, %v", line, err)
	}
}

// output runs a program to its end.
func output(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command(name).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	return string(out)
}
