package greet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// All Go code in docs/GUIDE.md is from this folder.
func TestGuide(t *testing.T) {
	var code strings.Builder
	for _, pattern := range []string{"*.go", "*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
	}
	guide, err := os.ReadFile("../../docs/GUIDE.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(guide), "```go\n")[1:]
	if len(blocks) < 10 {
		t.Errorf("the guide has %d pieces of code", len(blocks))
	}
	for _, b := range blocks {
		b, _, _ = strings.Cut(b, "```")
		if !strings.Contains(code.String(), b) {
			t.Errorf("this is in the guide, and not here:\n%s", b)
		}
	}
}
