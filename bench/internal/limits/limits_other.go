//go:build !linux

package limits

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/partywall/partywall/bench/internal/report"
)

// Compile finds nothing to compile: the programs are for Linux.
func Compile(_ context.Context, _ string, wanted func(name string) bool) (entries []Entry, missing []report.NotMeasured, err error) {
	for _, name := range Names() {
		if wanted(name) {
			missing = append(missing, report.NotMeasured{Contender: name, Why: "its C program is for Linux, and this is " + runtime.GOOS})
		}
	}
	return nil, missing, nil
}

// Run is never called.
func (e Entry) Run(context.Context, report.Cell, time.Duration) (s report.Sample, err error) {
	return s, errors.ErrUnsupported
}

// Version is never called.
func (e Entry) Version(context.Context) (what, version string, err error) {
	return "", "", errors.ErrUnsupported
}
