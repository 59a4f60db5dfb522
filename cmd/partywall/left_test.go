package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// watchdog turns a hang into a failure. It is no measure of speed.
const watchdog = 30 * time.Second

// left lists what is left of programs that were run with TMPDIR set to dir: the
// processes that have it in their environment, and the files in it. What is on its
// way out is given time.
func left(dir string) []string {
	for deadline := time.Now().Add(watchdog); ; time.Sleep(2 * time.Millisecond) {
		all := filesIn(dir)
		for _, p := range processesIn(dir) {
			all = append(all, fmt.Sprintf("process %d: %q", p.pid, p.command))
		}
		if len(all) == 0 || time.Now().After(deadline) {
			return all
		}
	}
}

func filesIn(dir string) (files []string) {
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return []string{err.Error()}
	}
	for _, e := range entries {
		files = append(files, filepath.Join(dir, e.Name()))
	}
	return files
}

// found is a process that runs.
type found struct {
	pid     int
	command string // with NULs between its arguments
}

// processesIn lists those that have TMPDIR set to dir. It is empty where there is no
// /proc.
func processesIn(dir string) (processes []found) {
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range paths {
		environ, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(append([]byte{0}, environ...), []byte("\x00TMPDIR="+dir+"\x00")) {
			continue // not this user's, has ended, or another's
		}
		proc := filepath.Dir(path)
		command, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil {
			processes = append(processes, found{pid, string(command)})
		}
	}
	return processes
}
