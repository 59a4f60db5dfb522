// Package single runs a program once.
package single

import (
	"context"
	"errors"
	"os"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
)

// Run opens the files that this process is given and those that later ones are given, until the
// context ends; or it has the process that runs already open them.
func Run(ctx context.Context, open func(dir string, files []string)) error {
	inst, err := instance.Acquire(ctx, "example/editor")
	if errors.Is(err, partywall.ErrRunning) {
		return nil // it runs, and has our files now
	}
	if err != nil {
		return err // partywall.ErrUnreachable: it runs, and hangs
	}
	defer inst.Close()
	open(".", os.Args[1:])
	for launch, err := range inst.Launches(ctx) {
		if err != nil {
			return err
		}
		open(launch.Dir, launch.Args)
	}
	return nil
}
