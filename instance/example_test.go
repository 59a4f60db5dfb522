//go:build linux

package instance_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
)

// The first process prints what it was started with, and what later ones were. Here both are one
// process, to be short.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	inst, err := instance.Acquire(ctx, "example/viewer")
	if err != nil {
		log.Fatal(err)
	}
	defer inst.Close()

	go func() { // in another process
		_, err := instance.Acquire(ctx, "example/viewer", instance.Args("two words.txt", ""))
		fmt.Println("taken:", errors.Is(err, partywall.ErrRunning))
		cancel()
	}()

	for launch, err := range inst.Launches(ctx) {
		if err != nil {
			break
		}
		fmt.Printf("open %q\n", launch.Args)
	}
	// Unordered output:
	// open ["two words.txt" ""]
	// taken: true
}
