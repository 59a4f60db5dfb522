package doctor

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// futexWake has a waiter on one mapping woken through another: the futex is not
// private, so the kernel takes both for the same word. Who watches a section waits
// like this; calls sleep on their socket instead (docs/decisions/0005).
func futexWake(ctx context.Context) Finding {
	const notCalls = "Calls do not use it: they sleep on their socket. Who watches a section does, and would not be woken."
	mine, theirs, err := twice(page)
	if err != nil {
		f := refused(err, "memory for a futex", "")
		f.Status, f.Means = Unknown, notCalls
		return f
	}
	defer mine.Close()
	defer theirs.Close()

	waited := make(chan error, 1)
	go func() { waited <- futexWait(mine.Bytes(), 0, time.Second) }()
	for woken := 0; woken == 0; {
		select {
		case err := <-waited: // before anybody woke it, or because nobody could
			return Finding{
				Status: Warning,
				Seen:   fmt.Sprintf("nobody was woken: %v", os.NewSyscallError("futex", err)),
				Means:  notCalls,
				Advice: "Nothing for calls. The kernel or the sandbox has no futex between mappings: use another to watch sections.",
			}
		case <-time.After(100 * time.Microsecond):
			woken = futexWakeAll(theirs.Bytes())
		}
	}
	if err := <-waited; err != nil && err != unix.EINTR {
		return Finding{Status: Warning, Seen: os.NewSyscallError("futex", err).Error(), Means: notCalls, Advice: advice(err)}
	}
	return fine("woken through another mapping; sections need it, calls do not")
}
