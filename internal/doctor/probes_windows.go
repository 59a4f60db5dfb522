package doctor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/peer"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/rendezvous"
	"github.com/partywall/partywall/internal/wait"
)

// probes are in the order in which they are shown: first what everything else
// needs, then what a call needs.
func probes() []probe {
	return []probe{
		{id: "system", title: "System", try: system},
		{id: "processors", title: "Processors", try: processors},
		{id: "clock", title: "Clock", try: clock},
		{id: "identity", title: "This process", try: identity},
		{id: "memory", title: "Shared memory", try: sharedMemory},
		{id: "events", title: "Events", try: events},
		{id: "run-directory", title: "Run directory", try: runDirectory},
		{id: "rendezvous", title: "Finding a service", try: findService, needs: "memory"},
	}
}

const thisSystem = "Windows, or what stands for it here, does not do what partywall needs: use Windows 10 or later."

func broken(seen, means string) Finding {
	return Finding{Status: Failed, Seen: seen, Means: means, Advice: thisSystem}
}

// system is for information. Wine says who it is by a function that Windows does not have.
func system(context.Context) Finding {
	v := windows.RtlGetVersion()
	name := fmt.Sprintf("Windows %d.%d.%d, %s", v.MajorVersion, v.MinorVersion, v.BuildNumber, runtime.GOARCH)
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		return fine("Wine, as %s", name)
	}
	return fine("%s", name)
}

func processors(context.Context) Finding {
	return processorsWith(runtime.NumCPU(), runtime.GOMAXPROCS(0), math.Inf(1))
}

// clock: deadlines cross processes by it, and who spins looks at it.
func clock(context.Context) Finding {
	const readings = 1000
	least := time.Hour
	begun := wait.Now()
	for last, n := begun, 0; n < readings; n++ {
		now := wait.Now()
		if d := now - last; d > 0 {
			least = min(least, d)
		} else if d < 0 {
			return broken("the performance counter goes back", "Deadlines pass when they should not.")
		}
		last = now
	}
	took := (wait.Now() - begun) / readings
	if least > 100*time.Microsecond {
		return Finding{
			Status: Warning,
			Seen:   fmt.Sprintf("the performance counter moves in steps of %v", least),
			Means:  "Whoever spins for an answer spins too long, or not long enough.",
			Advice: "On a virtual machine, let it have the processor's own counter.",
		}
	}
	return fine("the performance counter moves in steps of %v or less, and is read in %v", least, took)
}

// identity: a server opens its clients' processes, as this opens itself.
func identity(context.Context) Finding {
	p, err := peer.OfProcess(uint32(os.Getpid()), peer.Take)
	if err != nil {
		return broken(err.Error(), "No server learns who its clients are: no conn can be made.")
	}
	defer p.Close()
	return fine("user %s, session %d", p.Identity.User, p.Identity.Session)
}

// sharedMemory does with one region what the two sides of a conn do.
func sharedMemory(context.Context) Finding {
	const means = "No conn can be made: its memory is such memory."
	mine, err := region.Create("doctor", ControlSize, region.Filled)
	if err != nil {
		return Finding{Status: Failed, Seen: err.Error(), Means: means, Advice: "See to it that the system has memory: close programs, or let the page file grow."}
	}
	defer mine.Close()
	var h windows.Handle
	self := windows.CurrentProcess()
	if err := windows.DuplicateHandle(self, windows.Handle(mine.File().Fd()), self, &h, region.Access, false, 0); err != nil {
		return broken("DuplicateHandle: "+err.Error(), means)
	}
	theirs, err := region.Accept(os.NewFile(uintptr(h), "lent"), mine.Size())
	if err != nil {
		return broken(err.Error(), means)
	}
	defer theirs.Close()
	a, b := mine.Bytes(), theirs.Bytes()
	a[0], b[len(b)-1] = 1, 2
	if b[0] != 1 || a[len(a)-1] != 2 {
		return broken("what is written to one mapping is not seen in the other", means)
	}
	return fine("%s mapped twice; each sees what is written to the other", size(ControlSize))
}

// events: by them a sleeper is woken. How long that takes is for information.
func events(ctx context.Context) Finding {
	const means = "Nobody who sleeps is woken: calls hang."
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return broken("CreateEvent: "+err.Error(), means)
	}
	defer windows.CloseHandle(event)
	noticed := make(chan time.Duration, 1)
	watched, err := wait.WatchEvent(event, func() { noticed <- wait.Now() })
	if err != nil {
		return broken(err.Error(), means)
	}
	defer watched.Stop()
	const times = 20
	best := time.Hour
	for range times {
		begun := wait.Now()
		if err := windows.SetEvent(event); err != nil {
			return broken("SetEvent: "+err.Error(), means)
		}
		select {
		case at := <-noticed:
			best = min(best, at-begun)
		case <-ctx.Done():
			return broken("an event was signalled, and nobody woke", means)
		}
	}
	return fine("a thread that waits wakes in %v or more", best.Round(100*time.Nanosecond))
}

// runDirectory has rendezvous judge the run directory, as Dial would.
func runDirectory(context.Context) Finding {
	path := rendezvous.DirPath()
	dir, err := rendezvous.OpenDir("", false)
	switch {
	case err == nil:
		dir.Close()
		return fine("%s is this user's alone", path)
	case errors.Is(err, partywall.ErrNotFound) && path != "":
		return fine("%s is not there yet", path)
	}
	return Finding{
		Status: Failed,
		Seen:   err.Error(),
		Means:  "Listen and Dial fail: the run directory has to be a directory that only its user can reach.",
		Advice: "Do what is said there, for clients and servers alike.",
	}
}

// findService serves a name and dials it, in a run directory made for that.
func findService(ctx context.Context) Finding {
	base, err := os.MkdirTemp("", scratch())
	if err != nil {
		return Finding{Status: Unknown, Seen: err.Error(), Means: "It could not be tried whether a service is found.", Advice: "Set TMP to a directory that can be written to."}
	}
	run := base + `\run`
	defer func() {
		left, _ := os.ReadDir(run)
		for _, e := range left {
			_ = os.Remove(run + `\` + e.Name())
		}
		_, _ = os.Remove(run), os.Remove(base)
	}()
	pid, err := meet(ctx, run)
	if err != nil {
		return Finding{Status: Failed, Seen: err.Error(), Means: "So no service can be listened for or found.", Advice: thisSystem}
	}
	if pid != os.Getpid() {
		return broken(fmt.Sprintf("process %d answers instead of this one, %d", pid, os.Getpid()), "Named pipes lead to somebody else.")
	}
	return fine("listened for, dialled and answered through a named pipe")
}
