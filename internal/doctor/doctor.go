// Package doctor finds out what this machine permits: what a call needs, what
// bounds it, and what packages to come will need.
//
//	for _, f := range doctor.Examine(ctx) {
//		fmt.Println(f.Status, f.Title, f.Seen)
//	}
//
// What can be tried is tried, with the code that calls use where that is
// possible; nothing is concluded from a version number. What is made for a trial is removed
// again, and what belongs to others is only looked at.
package doctor

import (
	"context"
	"fmt"
	"time"
)

// A Status is the result of one examination.
type Status string

const (
	// OK: nothing to do.
	OK Status = "ok"
	// Warning: calls work, but slower or fewer or smaller ones than they could.
	Warning Status = "warning"
	// Failed: calls do not work.
	Failed Status = "failed"
	// Unknown: it could not be found out, or was not tried because something
	// else failed.
	Unknown Status = "unknown"
)

// A Finding is what one examination found.
type Finding struct {
	ID     string `json:"id"` // in kebab case; stays the same from version to version
	Title  string `json:"title"`
	Status Status `json:"status"`
	Seen   string `json:"seen"`             // what was seen, with figures
	Means  string `json:"means,omitempty"`  // what that means for partywall, unless it is ok or was not tried
	Advice string `json:"advice,omitempty"` // what to do, unless it is ok
}

// ControlSize is how many bytes of shared memory a conn needs at least, with the
// number of slots that conns have: docs/LAYOUT.md.
const ControlSize = 4096 + 1024*(512+512)

// patience is how long one examination may take. None of them waits for anybody;
// what takes so long hangs, in a file system for example.
const patience = 10 * time.Second

// A probe is one examination.
type probe struct {
	id, title string
	// try returns the finding without its ID and Title.
	try func(context.Context) Finding
	// needs is the id of a probe before it, or empty: if that failed, this one is
	// not tried.
	needs string
	// decides: if it fails, no probe after it is tried. It cannot hang, and runs
	// without the timer and the goroutine that the others have.
	decides bool
}

// Examine examines this machine as this process, its user and its limits see it.
// The findings always come in the same order. It takes milliseconds, unless
// something hangs: that is a finding too. When the context ends, what has not been
// tried yet is [Unknown].
func Examine(ctx context.Context) []Finding { return examine(ctx, probes(), patience) }

func examine(ctx context.Context, probes []probe, patience time.Duration) []Finding {
	findings := make([]Finding, 0, len(probes))
	failed := map[string]bool{}
	stopped := ""
	for _, p := range probes {
		var f Finding
		switch {
		case stopped != "":
			f = untried(stopped)
		case ctx.Err() != nil:
			f = untried(context.Cause(ctx).Error())
		case failed[p.needs]:
			f = untried(p.needs)
		case p.decides:
			f = p.try(ctx)
		default:
			f = p.run(ctx, patience)
		}
		f.ID, f.Title = p.id, p.title
		failed[p.id] = f.Status == Failed || f.Status == Unknown && failed[p.needs]
		if p.decides && f.Status == Failed {
			stopped = p.id
		}
		findings = append(findings, f)
	}
	return findings
}

func untried(why string) Finding {
	return Finding{Status: Unknown, Seen: "not tried, because of: " + why, Advice: "Mend that first, then ask again."}
}

// run gives up on a probe that hangs, and leaves it alone: no system call that
// hangs in the kernel can be taken back.
func (p probe) run(ctx context.Context, patience time.Duration) Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan Finding, 1)
	go func() { done <- p.try(ctx) }()
	late := time.NewTimer(patience + patience/2)
	defer late.Stop()
	select {
	case f := <-done:
		return f
	case <-late.C:
		return Finding{
			Status: Failed,
			Seen:   fmt.Sprintf("no answer within %v", patience+patience/2),
			Means:  "Whatever does the same hangs as well.",
			Advice: "Find out what hangs: a network file system, for example.",
		}
	}
}

// fine is a finding that leaves nothing to do.
func fine(format string, args ...any) Finding {
	return Finding{Status: OK, Seen: fmt.Sprintf(format, args...)}
}

// size writes a number of bytes with a unit that suits it.
func size(bytes uint64) string {
	const units = "KMGTPE"
	if bytes < 1024 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	f, unit := float64(bytes)/1024, 0
	for f >= 10240 || f >= 1024 && f == 1024*float64(int(f/1024)) { // 1028 KiB says more than 1.0 MiB
		f /= 1024
		unit++
	}
	if f == float64(int(f)) {
		return fmt.Sprintf("%.0f %ciB", f, units[unit])
	}
	return fmt.Sprintf("%.1f %ciB", f, units[unit])
}
