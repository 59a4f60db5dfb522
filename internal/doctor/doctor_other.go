//go:build !linux && !windows

package doctor

import (
	"context"
	"runtime"
)

func probes() []probe {
	return []probe{{id: "system", title: "System", try: func(context.Context) Finding {
		return Finding{
			Status: Failed,
			Seen:   runtime.GOOS + " is not supported yet",
			Means:  "Listen and Dial return ErrNotSupported here.",
			Advice: "Use Linux, in a virtual machine or a container for example.",
		}
	}}}
}
