package winmsg

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

// Start finds the one window that meets the conditions, as [Find] does. If there is none, it starts
// the program and waits for the window until the context ends. Of several processes
// that look for the same conditions at once, one starts the program: the others wait for its window.
//
// The program goes on when this process has ended. If it fails before its window is there, the error
// says how; have cmd.Stderr keep what it said. One that ends well may have started another program,
// whose window is waited for. cmd is not used if the window is there.
func Start(ctx context.Context, cmd *exec.Cmd, conditions ...Condition) (*Window, error) {
	q := newQuery(conditions)
	w, err := q.find()
	if !errors.Is(err, partywall.ErrNotFound) {
		return w, err
	}
	// A mutex of Windows belongs to a thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unlock, err := lockStart(ctx, q.String())
	if err != nil {
		return nil, fmt.Errorf("winmsg: start %s for %v: %w", cmd.Path, q, err)
	}
	defer unlock()
	if w, err = q.find(); !errors.Is(err, partywall.ErrNotFound) {
		return w, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("winmsg: start the program for %v: %w", q, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for pause := time.Millisecond; ; pause = min(2*pause, longestPause) {
		if w, err = q.find(); !errors.Is(err, partywall.ErrNotFound) {
			return w, err
		}
		select {
		case state := <-ended:
			if state == nil { // it may have left another program behind, which makes the window
				ended = nil
				continue
			}
			return nil, fmt.Errorf("%w: %s has ended before it made one: %w", err, cmd.Path, state)
		case <-ctx.Done():
			return nil, fmt.Errorf("%w, though %s was started: %w", err, cmd.Path, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// lockStart takes the mutex of those who start what somebody looks for. A process that dies gives it
// up.
func lockStart(ctx context.Context, what string) (unlock func(), err error) {
	name, err := windows.UTF16PtrFromString(fmt.Sprintf(`Local\partywall-start-%x`, sha256.Sum256([]byte(what))))
	if err != nil {
		return nil, err
	}
	m, err := windows.CreateMutex(nil, false, name)
	if m == 0 {
		return nil, fmt.Errorf("CreateMutex: %w", err)
	}
	const look = 20 // milliseconds between looks at the context
	for {
		switch event, err := windows.WaitForSingleObject(m, look); event {
		case windows.WAIT_OBJECT_0, windows.WAIT_ABANDONED:
			return func() {
				windows.ReleaseMutex(m)
				windows.CloseHandle(m)
			}, nil
		case uint32(windows.WAIT_TIMEOUT):
			if ctx.Err() != nil {
				windows.CloseHandle(m)
				return nil, ctx.Err()
			}
		default:
			windows.CloseHandle(m)
			return nil, fmt.Errorf("wait for the mutex: %w", err)
		}
	}
}
