package wait

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/windows"
)

// A Watched is a kernel object that this process waits for: an event that wakes one waiter and is
// reset by that, or a process, which ends once. Whoever has it calls Stop before he closes the handle.
//
// One thread waits for up to 63 of them (WaitForMultipleObjects takes 64 handles, of which one
// is for changes), so that hundreds of conns take a handful of threads.
type Watched struct {
	handle windows.Handle
	once   bool
	f      func()
	group  *group // nil when it is not waited for any more; guarded by watching
}

// WatchEvent has f called after each signal of an event; signals that come together may be one
// call. f must not block, nor call [Watched.Stop].
func WatchEvent(event windows.Handle, f func()) (*Watched, error) { return watch(event, false, f) }

// WatchEnd has f called once, when a process has ended. f must not block, nor call
// [Watched.Stop].
func WatchEnd(process windows.Handle, f func()) (*Watched, error) { return watch(process, true, f) }

// perGroup is how many handles a thread waits for beside the one for changes.
const perGroup = 63

// A group is a thread that waits.
type group struct {
	change  windows.Handle // an event: look at the list again
	watched []*Watched
	asked   uint64 // counts the changes of the list
	seen    uint64 // those that the thread knows of
}

var (
	watching sync.Mutex // guards the groups and all that is in them; held for moments
	looked   = sync.NewCond(&watching)
	groups   []*group
)

func watch(handle windows.Handle, once bool, f func()) (*Watched, error) {
	watching.Lock()
	defer watching.Unlock()
	w := &Watched{handle: handle, once: once, f: f}
	i := slices.IndexFunc(groups, func(g *group) bool { return len(g.watched) < perGroup })
	if i < 0 {
		change, err := windows.CreateEvent(nil, 0, 0, nil)
		if err != nil {
			return nil, fmt.Errorf("make an event to wait with: %w", err)
		}
		i = len(groups)
		groups = append(groups, &group{change: change})
		go groups[i].run()
	}
	w.group = groups[i]
	w.group.watched = append(w.group.watched, w)
	w.group.ask()
	return w, nil
}

// ask makes the thread look at the list.
func (g *group) ask() {
	g.asked++
	_ = windows.SetEvent(g.change)
}

// Stop ends the waiting: when it returns, f does not run and will not be called. It is idempotent.
func (w *Watched) Stop() {
	watching.Lock()
	defer watching.Unlock()
	g := w.group
	if g == nil {
		return
	}
	w.group = nil
	g.watched = slices.DeleteFunc(g.watched, func(x *Watched) bool { return x == w })
	g.ask()
	for asked := g.asked; g.seen < asked; {
		looked.Wait()
	}
}

// run waits until nothing is left to wait for.
func (g *group) run() {
	var list [perGroup]*Watched
	var handles [perGroup + 1]windows.Handle
	handles[0] = g.change
	for last := 0; ; {
		watching.Lock()
		g.seen = g.asked
		looked.Broadcast()
		n := len(g.watched)
		if n == 0 {
			groups = slices.DeleteFunc(groups, func(x *group) bool { return x == g })
			_ = windows.CloseHandle(g.change)
			watching.Unlock()
			return
		}
		// The wait reports the first that is signalled: whoever was it last stands at the end.
		for i := range n {
			list[i] = g.watched[(last+i)%n]
			handles[i+1] = list[i].handle
		}
		last %= n
		watching.Unlock()

		signalled, err := windows.WaitForMultipleObjects(handles[:n+1], false, windows.INFINITE)
		if err != nil {
			// Only a handle that was closed under the wait, which Stop's callers do not do.
			panic(fmt.Sprintf("wait: WaitForMultipleObjects of %d handles: %v", n+1, err))
		}
		i := int(signalled-windows.WAIT_OBJECT_0) - 1
		if i < 0 || i >= n {
			continue
		}
		last += i + 1
		g.fire(list[i])
	}
}

// fire calls f, unless the object is not waited for any more.
func (g *group) fire(w *Watched) {
	watching.Lock()
	gone := w.group == nil
	watching.Unlock()
	if gone {
		return
	}
	w.f()
	if !w.once {
		return
	}
	watching.Lock()
	defer watching.Unlock()
	if w.group != nil {
		w.group = nil
		g.watched = slices.DeleteFunc(g.watched, func(x *Watched) bool { return x == w })
	}
}
