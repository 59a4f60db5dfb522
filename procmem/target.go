package procmem

import (
	"os"
	"sync/atomic"
)

// A target is a process as the system knows it. A Process and its blocks share
// one, and the last to let go closes it.
//
// Each system gives it these methods:
//
//	open() error                  fills in system for pid
//	move(op, b, at) (int, error)  one system call: the bytes moved, the raw error
//	ended() bool                  the process has ended
//	classify(error) failure       what a raw error means
//	awaitEnd()                    wait for the end of a process that seems to be ending
//	whyDenied() string            and why, if it means denied
//	alloc(size) (uintptr, error)
//	free(at) error
//	regions() ([]Region, error)
//	close() error
type target struct {
	pid    int
	myself bool
	refs   atomic.Int32
	system
}

func ownTarget() *target {
	t := &target{pid: os.Getpid(), myself: true}
	t.openSelf()
	return t
}

func (t *target) release() error {
	if t.refs.Add(-1) > 0 {
		return nil
	}
	return t.close()
}
