package limits

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/partywall/partywall/bench/internal/report"
)

// Compile compiles what wanted says into dir, which has to be empty. What cannot be compiled is missing, with the
// reason and what to install.
func Compile(ctx context.Context, dir string, wanted func(name string) bool) (entries []Entry, missing []report.NotMeasured, err error) {
	if err := os.CopyFS(dir, sources); err != nil {
		return nil, nil, err
	}
	for _, p := range programs {
		path := filepath.Join(dir, p.name)
		var why error
		compiled := false
		for _, w := range p.ways {
			if !wanted(w.name) {
				continue
			}
			if !compiled {
				why, compiled = p.compile(ctx, path, filepath.Join(dir, "c")), true
			}
			if why != nil {
				missing = append(missing, report.NotMeasured{Contender: w.name, Why: why.Error()})
				continue
			}
			entries = append(entries, Entry{Name: w.name, Title: w.title, way: w, path: path, dir: dir})
		}
	}
	return entries, missing, ctx.Err()
}

func (p program) compile(ctx context.Context, path, dir string) error {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	args := []string{"-std=c11", "-O3", "-o", path, filepath.Join(dir, p.name+".c")}
	if p.library != "" {
		args = append(args, "-l"+p.library)
	}
	out, err := exec.CommandContext(ctx, cc, args...).CombinedOutput()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no C compiler; on Debian: apt-get install gcc libc6-dev %s", p.debian)
	case p.library != "":
		return fmt.Errorf("lib%s and its headers are needed; on Debian: apt-get install %s", p.library, p.debian)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return fmt.Errorf("%s fails: %w: %s; on Debian: apt-get install gcc libc6-dev", cc, err, first)
}

// Version says what the program is built with, and its version.
func (e Entry) Version(ctx context.Context) (what, version string, err error) {
	out, err := exec.CommandContext(ctx, e.path, "version").Output()
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", e.Title, err)
	}
	what, version, _ = strings.Cut(strings.TrimSpace(string(out)), " ")
	return what, version, nil
}

// Run measures a cell for a time, after a tenth of it to warm up.
func (e Entry) Run(ctx context.Context, c report.Cell, d time.Duration) (s report.Sample, err error) {
	ctx, cancel := context.WithTimeout(ctx, d+d/10+patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, e.path, e.way.mode,
		strconv.Itoa(c.Size), strconv.FormatInt(d.Nanoseconds(), 10), strconv.FormatFloat(c.Rate, 'f', -1, 64), e.dir)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return s, fmt.Errorf("%s: %w: %s", e.Title, errors.Join(err, context.Cause(ctx)), strings.TrimSpace(said.String()))
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return s, fmt.Errorf("%s: %w", e.Title, err)
	}
	return s, nil
}
