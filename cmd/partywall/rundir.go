package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// privateDir makes a temporary directory, and in it a run directory for this process and those that it
// starts. Who is done removes it with removeDir.
func privateDir() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "partywall-"); err != nil {
		return "", fmt.Errorf("make a run directory: %w; set %s to a directory that can be written to", err, tempVariable)
	}
	return dir, os.Setenv("PARTYWALL_DIR", runDir(dir))
}

// runDir is the run directory in a temporary one, which others may be let into, as Windows has it: who first needs the run
// directory makes it, for this user alone.
func runDir(temporary string) string { return filepath.Join(temporary, "run") }

// tempVariable is what says where temporary directories are.
var tempVariable = map[bool]string{true: "TMP", false: "TMPDIR"}[runtime.GOOS == "windows"]

// removeDir removes a directory of privateDir's and all that is in it. Where os.RemoveAll has no way to do that, as under Wine 8,
// each thing is removed by itself.
func removeDir(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	var all []string
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error { all = append(all, path); return nil })
	var errs []error
	for _, path := range slices.Backward(all) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
