package rendezvous

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/peer"
	"github.com/partywall/partywall/internal/winapi"
)

// CreateProcess makes a process whose thread is stopped, and has it run as its last step. A client that is
// killed in between leaves a server that has the start lock, and never runs. So whoever takes the lock notes
// who he is first; and whoever finds the lock taken, and the one who has noted so dead, takes that last
// step for him. On a process that runs already it has no effect.

// A starter is a process that has the start lock.
type starter struct {
	pid    uint32
	began  uint64         // peer.Began, as the number may be another's by now
	handle windows.Handle // the lock, in him and in the server that inherits it
}

func (s starter) String() string { return fmt.Sprintf("starter %d %d %d\n", s.pid, s.began, s.handle) }

// thisStarter is this process.
func thisStarter(lock windows.Handle) (starter, error) {
	began, err := peer.Began(windows.CurrentProcess())
	return starter{pid: uint32(os.Getpid()), began: began, handle: lock}, err
}

// starter returns who was about to start the server of a stem when the note was written.
func (d *Dir) starter(stem string) (s starter, ok bool) {
	note, err := d.note(startingFile(stem))
	if err != nil {
		return s, false
	}
	_, err = fmt.Sscanf(note, "starter %d %d %d\n", &s.pid, &s.began, &s.handle)
	return s, err == nil && note == s.String()
}

// isDead reports whether the starter has ended. In doubt it has not.
func (s starter) isDead() bool {
	p, err := peer.OfProcess(s.pid, peer.Watch)
	if err != nil {
		return errors.Is(err, windows.ERROR_INVALID_PARAMETER) // no process has that number
	}
	defer p.Close()
	began, err := peer.Began(p.Handle)
	return err == nil && began != s.began || p.EndsWithin(0)
}

// freeOrphan has the server of a stem run that its starter, who has died, has left stopped. One client at a
// time does so, and notes which process it is: then nobody looks for it again.
func (d *Dir) freeOrphan(stem string) {
	s, ok := d.starter(stem)
	if !ok || !s.isDead() {
		return
	}
	f, err := d.lock(startingFile(stem))
	if err != nil {
		return
	}
	defer f.Close()
	if again, ok := d.starter(stem); !ok || again != s {
		return
	}
	if pid := d.resumeChild(stem, s); pid != 0 {
		writeStarting(f, strconv.Itoa(int(pid))+"\n")
	}
}

// resumeChild has the child run that shares the start lock with its dead starter, and returns its number, or 0 if
// there is none, or it cannot. A child of more than one thread runs already. Its threads are let alone: Go's scheduler stops and
// resumes them.
func (d *Dir) resumeChild(stem string, s starter) (pid uint32) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS|windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return 0
	}
	defer windows.CloseHandle(snapshot)
	child := winapi.ProcessEntry()
	for err = windows.Process32First(snapshot, &child); err == nil; err = windows.Process32Next(snapshot, &child) {
		if child.ParentProcessID == s.pid && d.sharesStart(stem, child.ProcessID, s.handle) {
			break
		}
	}
	if err != nil {
		return 0
	}
	if child.Threads > 1 {
		return child.ProcessID
	}
	thread := winapi.ThreadEntry()
	for err = windows.Thread32First(snapshot, &thread); err == nil; err = windows.Thread32Next(snapshot, &thread) {
		if thread.OwnerProcessID == child.ProcessID && resume(thread.ThreadID) {
			return child.ProcessID
		}
	}
	return 0
}

// sharesStart reports whether a process has the start lock of a stem under that handle.
func (d *Dir) sharesStart(stem string, pid uint32, handle windows.Handle) bool {
	p, err := peer.OfProcess(pid, peer.Take)
	if err != nil {
		return false
	}
	defer p.Close()
	h, err := take(p.Handle, uint64(handle), windows.FILE_READ_ATTRIBUTES)
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	return d.sameHandle(stem+".start", h)
}

func resume(thread uint32) bool {
	h, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, thread)
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	_, err = windows.ResumeThread(h)
	return err == nil
}
