package wait

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

const watchdog = 30 * time.Second

func newEvent(t *testing.T) windows.Handle {
	t.Helper()
	h, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Every signal is noticed, however many events there are, and after Stop none.
func TestWatchEvents(t *testing.T) {
	const n = 3*perGroup + 5
	var events [n]windows.Handle
	var watched [n]*Watched
	var calls [n]atomic.Int32
	noticed := make(chan int, n)
	for i := range events {
		events[i] = newEvent(t)
		w, err := WatchEvent(events[i], func() { calls[i].Add(1); noticed <- i })
		if err != nil {
			t.Fatal(err)
		}
		watched[i] = w
	}
	watching.Lock()
	if len(groups) != 4 {
		t.Errorf("%d threads wait for %d events", len(groups), n)
	}
	watching.Unlock()
	for _, i := range rand.Perm(n) {
		windows.SetEvent(events[i])
		select {
		case got := <-noticed:
			if got != i {
				t.Fatalf("event %d was signalled, and %d noticed", i, got)
			}
		case <-time.After(watchdog):
			t.Fatalf("event %d is not noticed", i)
		}
	}
	for i := range n / 2 {
		watched[i].Stop()
		watched[i].Stop()
		windows.SetEvent(events[i])
	}
	windows.SetEvent(events[n-1])
	if got := <-noticed; got != n-1 {
		t.Errorf("event %d is noticed after Stop", got)
	}
	for i := range events {
		watched[i].Stop()
		windows.CloseHandle(events[i])
		if want := int32(1); calls[i].Load() != want && i != n-1 {
			t.Errorf("event %d: %d calls", i, calls[i].Load())
		}
	}
	awaitNoGroups(t)
}

func awaitNoGroups(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(watchdog); ; time.Sleep(time.Millisecond) {
		watching.Lock()
		left := len(groups)
		watching.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d threads still wait", left)
		}
	}
}

// An event that is signalled without end keeps nobody else from being noticed.
func TestWatchIsFair(t *testing.T) {
	loud, quiet := newEvent(t), newEvent(t)
	defer windows.CloseHandle(loud)
	defer windows.CloseHandle(quiet)
	first, err := WatchEvent(loud, func() { windows.SetEvent(loud) })
	if err != nil {
		t.Fatal(err)
	}
	noticed := make(chan bool, 1)
	second, err := WatchEvent(quiet, func() { noticed <- true })
	if err != nil {
		t.Fatal(err)
	}
	windows.SetEvent(loud)
	for range 20 {
		windows.SetEvent(quiet)
		select {
		case <-noticed:
		case <-time.After(watchdog):
			t.Fatal("it is not noticed")
		}
	}
	first.Stop()
	second.Stop()
	awaitNoGroups(t)
}

// Watches begin and stop while signals come.
func TestWatchStopRaces(t *testing.T) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				event, err := windows.CreateEvent(nil, 0, 0, nil)
				if err != nil {
					t.Error(err)
					return
				}
				var stopped atomic.Bool
				w, err := WatchEvent(event, func() {
					if stopped.Load() {
						t.Error("called after Stop")
					}
				})
				if err != nil {
					t.Error(err)
					return
				}
				windows.SetEvent(event)
				w.Stop()
				stopped.Store(true)
				windows.CloseHandle(event)
			}
		})
	}
	group.Wait()
	awaitNoGroups(t)
}

// The end of a process is noticed once.
func TestWatchEnd(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(process)
	ended := make(chan bool, 2)
	w, err := WatchEnd(process, func() { ended <- true })
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Log(err) // it may have ended
	}
	select {
	case <-ended:
	case <-time.After(watchdog):
		t.Fatal("the end is not noticed")
	}
	_ = cmd.Wait()
	awaitNoGroups(t) // it was all that was watched
	w.Stop()
	if len(ended) != 0 {
		t.Error("noticed twice")
	}
}
