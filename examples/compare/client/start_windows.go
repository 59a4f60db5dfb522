package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/winmsg"
)

// openServer opens the server's window. If there is none, it starts the server.
func openServer(ctx context.Context, title, program string) (*winmsg.Window, error) {
	w, err := winmsg.Find(ctx, winmsg.Title(title))
	if !errors.Is(err, partywall.ErrNotFound) {
		return w, err
	}
	program, missing := serverProgram(program)
	if missing != nil {
		return nil, fmt.Errorf("%w, and its server cannot be started: %w", err, missing)
	}
	cmd := exec.Command(program, "-title", title)
	// The server is to live on when this process, and its console, have gone, and a Ctrl-C
	// there is not meant for it. It shows its window, so nothing here hides it.
	const detachedProcess = 0x8 // DETACHED_PROCESS
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: detachedProcess | syscall.CREATE_NEW_PROCESS_GROUP}
	said := new(lastWords)
	cmd.Stderr = said
	w, err = winmsg.Start(ctx, cmd, winmsg.Title(title))
	if cmd.Process != nil {
		log.Printf("no window titled %q: started %s, process %d", title, program, cmd.Process.Pid)
	}
	if err != nil {
		if line := said.line(); line != "" {
			err = fmt.Errorf("%w: it said: %s", err, line)
		}
		return nil, err
	}
	return w, nil
}

// serverProgram returns the path of the program to start: the one that is given, or one of the
// usual names beside this program.
func serverProgram(given string) (string, error) {
	if given != "" {
		path, err := filepath.Abs(given)
		if err == nil {
			_, err = os.Stat(path)
		}
		return path, err
	}
	own, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(own)
	for _, name := range []string{"compare-server.exe", "server.exe"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("neither compare-server.exe nor server.exe is in %s; -server names another", dir)
}

// lastWords keeps what a program has said last.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 4096
	l.text = append(l.text, p...)
	if extra := len(l.text) - most; extra > 0 {
		l.text = l.text[extra:]
	}
	return len(p), nil
}

// line returns the last line.
func (l *lastWords) line() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.TrimSpace(string(l.text))
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}
