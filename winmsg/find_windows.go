package winmsg

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/winapi"
)

// Info is what the system tells of a window.
type Info struct {
	Handle      uintptr // HWND
	PID         int     // of its process
	Thread      int     // the id of the thread that takes its messages
	Image       string  // the path of its process's program; empty if this process may not ask
	Class       string
	Title       string
	Visible     bool
	MessageOnly bool
}

// String returns the window as error texts show it.
func (i *Info) String() string {
	image := "a process that does not tell its image"
	if i.Image != "" {
		image = filepath.Base(i.Image)
	}
	return fmt.Sprintf("%#x %q of class %q (%s, process %d)", i.Handle, i.Title, i.Class, image, i.PID)
}

// List returns the windows that meet the conditions: top-level windows, or, with
// [MessageOnly], message-only ones. They may be gone when it returns.
func List(conditions ...Condition) ([]Info, error) {
	found, err := newQuery(conditions).list()
	for i := range found {
		found[i].Image = imageOf(found[i].PID)
	}
	return found, err
}

// Find returns the one window that meets the conditions. The error wraps
// [partywall.ErrNotFound] if there is none; if there are several, it is an
// [*AmbiguousError] that lists them. With [Wait] it waits for the window until the
// context ends.
//
// A title or a class can be used by any program. To be sure of who answers, choose by
// [PID] or [Image] too.
func Find(ctx context.Context, conditions ...Condition) (*Window, error) {
	q := newQuery(conditions)
	for pause := time.Millisecond; ; pause = min(2*pause, longestPause) {
		w, err := q.find()
		if !q.wait || !errors.Is(err, partywall.ErrNotFound) {
			return w, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// longestPause is how long a window that is waited for may go unnoticed.
const longestPause = 50 * time.Millisecond

func newQuery(conditions []Condition) *query {
	q := new(query)
	for _, c := range conditions {
		c.choose(q)
	}
	return q
}

func (q *query) find() (*Window, error) {
	found, err := q.list()
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("winmsg: %v: %w", q, partywall.ErrNotFound)
	case len(found) > 1:
		for i := range found {
			found[i].Image = imageOf(found[i].PID)
		}
		return nil, &AmbiguousError{q.String(), found}
	}
	return Open(found[0].Handle)
}

func (q *query) list() ([]Info, error) {
	handles, err := topLevel()
	if q.messageOnly {
		handles, err = messageOnly()
	}
	if err != nil {
		return nil, err
	}
	var found []Info
	for _, h := range handles {
		i, err := inform(h)
		if err != nil {
			continue // it has gone meanwhile
		}
		i.MessageOnly = q.messageOnly
		if q.image {
			i.Image = imageOf(i.PID)
		}
		if q.match(&i) {
			found = append(found, i)
		}
	}
	return found, nil
}

// enumerations are the calls of EnumWindows that run, by a number that their callback gets:
// no Go pointer travels through Windows.
var enumerations struct {
	sync.Mutex
	last    uintptr
	running map[uintptr]*[]windows.HWND
	once    sync.Once
	visit   uintptr
}

// topLevel returns the desktop's windows.
func topLevel() ([]windows.HWND, error) {
	e := &enumerations
	e.once.Do(func() {
		e.running = map[uintptr]*[]windows.HWND{}
		e.visit = windows.NewCallback(func(h windows.HWND, number uintptr) uintptr {
			e.Lock()
			defer e.Unlock()
			list := e.running[number]
			*list = append(*list, h)
			return 1
		})
	})
	var list []windows.HWND
	e.Lock()
	e.last++
	number := e.last
	e.running[number] = &list
	e.Unlock()
	err := winapi.EnumWindows(e.visit, number)
	e.Lock()
	delete(e.running, number)
	e.Unlock()
	if err != nil {
		return nil, fmt.Errorf("winmsg: EnumWindows: %w", err)
	}
	return list, nil
}

// messageOnly returns the children of HWND_MESSAGE, which no function enumerates at once: they are
// asked for one after the other. If they change meanwhile, it begins again.
func messageOnly() (list []windows.HWND, err error) {
	const tries = 10
again:
	for range tries {
		seen := map[windows.HWND]bool{}
		list = list[:0]
		for h := windows.HWND(0); ; {
			next, err := winapi.FindWindowEx(winapi.HWND_MESSAGE, h, nil, nil)
			if next == 0 {
				if h != 0 && errors.Is(err, windows.ERROR_INVALID_WINDOW_HANDLE) {
					continue again // h has gone
				}
				return list, nil
			}
			if seen[next] {
				continue again
			}
			seen[next] = true
			list = append(list, next)
			h = next
		}
	}
	return list, nil
}

// inform asks the system about a window, but for its image. Nothing of it sends the window a message, so a
// hung one answers too.
func inform(h windows.HWND) (Info, error) {
	var pid uint32
	thread, err := windows.GetWindowThreadProcessId(h, &pid)
	if err != nil {
		return Info{}, fmt.Errorf("winmsg: window %#x: %w: %w", uintptr(h), partywall.ErrNotFound, err)
	}
	var text [512]uint16
	i := Info{Handle: uintptr(h), PID: int(pid), Thread: int(thread), Visible: windows.IsWindowVisible(h)}
	if n, _ := windows.GetClassName(h, &text[0], int32(len(text))); n > 0 {
		i.Class = windows.UTF16ToString(text[:n])
	}
	if n, _ := winapi.InternalGetWindowText(h, &text[0], int32(len(text))); n > 0 {
		i.Title = windows.UTF16ToString(text[:n])
	}
	return i, nil
}

// imageOf returns the path of a process's program, or "".
func imageOf(pid int) string {
	p, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(p)
	path := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(path))
	if err := windows.QueryFullProcessImageName(p, 0, &path[0], &n); err != nil {
		return ""
	}
	return windows.UTF16ToString(path[:n])
}
