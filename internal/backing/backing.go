// Package backing is what the system does for a section: memory that has a name, a lock
// on the name, a mark for each participant that the kernel takes away when its process
// ends, and a bell on which processes sleep.
//
// Two things are backings: files in the run directory ([OpenFiles]), whose byte-range locks
// are the marks; and bytes that somebody else has mapped ([OpenView]), in which a process
// is told by its id and the time at which it began. What the bytes mean is the business of
// package section; docs/PROTOCOL.md, "The protocol of a section", says who may do what.
package backing

import (
	"context"
	"sync/atomic"

	"github.com/partywall/partywall/internal/region"
)

// A Backing belongs to one open section. Its methods may be called concurrently
// but for Close, and but for those that need the name lock.
type Backing interface {
	// Lock takes the name lock, which one participant of all processes has at a
	// time. It waits until the context ends.
	Lock(ctx context.Context) error
	Unlock()

	// Anchor returns the anchor's bytes, nil if there is none yet.
	Anchor() []byte

	// Format makes a new anchor of zeros, of at least size bytes, and removes all regions. If it is
	// killed meanwhile, the first 8 bytes are zero, or those before still are there as all others.
	// It needs the name lock, and that Anyone is false.
	Format(size int) error

	// Grows reports whether there can be more than one generation. If not, the memory is
	// somebody else's, and stays when all participants have gone.
	Grows() bool

	// Anyone reports whether there is a mark beside this backing's own.
	Anyone() bool

	// Claim sets the mark of a number for this backing, which may have one at a time. It
	// reports false if somebody has that mark, or asks just then whether somebody has. It needs
	// the name lock.
	Claim(number int) (bool, error)

	// Unclaim takes back the mark.
	Unclaim()

	// Release does so at the end. The anchor's bytes must not be touched any more.
	Release()

	// Alive reports whether somebody has the mark of a number, which is not this backing's own.
	// It makes a system call.
	Alive(number int) bool

	// Create makes the memory of a generation, at least size bytes of zeros, instead of any
	// that is there. It needs the name lock.
	Create(generation uint64, size int) (*region.Region, error)

	// Open maps the memory of a generation. The error wraps [os.ErrNotExist] if there is
	// none.
	Open(generation uint64, readOnly bool) (*region.Region, error)

	// Drop removes the name of a generation's memory. Whoever has it mapped keeps it.
	// What could not be dropped, a later Create, Format or Destroy does away with.
	Drop(generation uint64)

	// Destroy removes everything. It needs the name lock, and that Anyone is false. The anchor's
	// bytes must not be touched any more.
	Destroy() error

	// Sleep returns when the bell differs from seen, or when somebody has woken its
	// sleepers or this number since; sometimes it returns without a reason.
	Sleep(bell *atomic.Uint32, seen uint32, number int)

	// Wake wakes all who sleep on the bell. asleep reports whether the participant with a
	// number may sleep.
	Wake(bell *atomic.Uint32, asleep func(number int) bool, numbers int)

	// WakeOwn wakes the sleepers of this backing's own number.
	WakeOwn(bell *atomic.Uint32, number int)

	// Close unmaps the anchor, and gives back what the backing holds.
	Close() error
}
