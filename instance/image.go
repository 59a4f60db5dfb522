package instance

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/partywall/partywall/pe"
)

// ImageSection is the section of the program's own file in which [InImage] counts.
const ImageSection = "Instance"

// An ImageCount is this process's part in the number of instances that [InImage] counts.
type ImageCount struct {
	// Number is how many there were when this one was counted, with this one: 1 for
	// the first.
	Number int

	count *atomic.Uint32
	close sync.Once
}

// InImage counts the processes that run this program, in a shared section of its own EXE file: every
// process that runs the file sees the same memory there. It is the oldest way to notice that one runs
// already, and needs no name, no file and no server. The section has to be added to
// the built program first:
//
//	partywall pe add program.exe --section Instance:rws --size 4
//
// What it cannot do, and [Acquire] can:
//
//   - A process that is killed, or that ends without [ImageCount.Close], stays in the
//     count, until no process runs the program any more. Then the memory is gone, and
//     the next one counts from 1.
//   - It says how many there are, not who, and hands nothing over.
//   - A copy of the file has a count of its own, and so has each session: the processes
//     have to run the same file in the same session.
//   - Whoever can open the file for reading can write the number.
//
// The error wraps pe.ErrNoSection if the program has no such section, and
// partywall.ErrNotSupported on systems other than Windows. Each call counts, in one
// process too.
func InImage() (*ImageCount, error) {
	image, err := pe.Self()
	if err != nil {
		return nil, fmt.Errorf("instance: %w", err)
	}
	section, err := image.Section(ImageSection)
	if errors.Is(err, pe.ErrNoSection) {
		return nil, fmt.Errorf("instance: %w; add it with 'partywall pe add PROGRAM --section %s:rws --size 4'", err, ImageSection)
	}
	if err != nil {
		return nil, fmt.Errorf("instance: %w", err)
	}
	n, err := pe.View[atomic.Uint32](section, 0)
	if err != nil {
		return nil, fmt.Errorf("instance: section %s: %w", ImageSection, err)
	}
	return &ImageCount{Number: int(n.Add(1)), count: n}, nil
}

// Now returns how many there are now, this one included unless it is closed.
func (c *ImageCount) Now() int { return int(c.count.Load()) }

// Close takes this one out of the count. It is idempotent and may be called concurrently.
func (c *ImageCount) Close() error {
	c.close.Do(func() { c.count.Add(^uint32(0)) })
	return nil
}
