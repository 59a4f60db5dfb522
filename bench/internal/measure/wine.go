package measure

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/partywall/partywall/bench/internal/report"
)

// rootModule is where the command and scripts/wine.sh are.
const rootModule = "github.com/partywall/partywall"

// UnderWine builds the command for Windows and has it measure itself under Wine: article A's nine steps, the invoke that
// keeps what can be kept, TCP, and calls. Each part takes d.
func UnderWine(ctx context.Context, d time.Duration) (_ *report.Windows, err error) {
	root, err := output(exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", rootModule))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "partywall-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := filepath.Join(dir, "partywall.exe")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, "./cmd/partywall")
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if _, err := output(build); err != nil {
		return nil, err
	}
	run := func(result any, args ...string) error {
		cmd := exec.CommandContext(ctx, filepath.Join(root, "scripts", "wine.sh"), append([]string{program, "bench"}, args...)...)
		said, err := output(cmd)
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(said), result)
	}
	w := &report.Windows{Wine: "Wine"}
	if version, err := output(exec.CommandContext(ctx, "wine", "--version")); err == nil {
		w.Wine = version
	}
	if err := run(&w.Invoke, "invoke", "--duration", d.String(), "--json"); err != nil {
		return nil, err
	}
	for _, size := range []string{"64", "1048576"} {
		var c report.CallsReport
		if err := run(&c, "call", "--size", size, "--duration", d.String(), "--json"); err != nil {
			return nil, err
		}
		w.Calls = append(w.Calls, c)
	}
	return w, nil
}
