package single

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/partywall/partywall"
)

// Here first and second are one process.
func TestRun(t *testing.T) {
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	ctx, cancel := context.WithCancel(context.Background())
	opened := make(chan string, 2)
	first := make(chan error, 1)
	go func() { first <- Run(ctx, func(dir string, _ []string) { opened <- dir }) }()
	select {
	case err := <-first:
		if errors.Is(err, partywall.ErrNotSupported) {
			t.Skip(err)
		}
		t.Fatal(err)
	case <-opened:
	}
	if err := Run(ctx, func(string, []string) { t.Error("the second opens files") }); err != nil {
		t.Error(err)
	}
	if dir := <-opened; !filepath.IsAbs(dir) {
		t.Error(dir)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
