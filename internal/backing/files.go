package backing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
	"github.com/partywall/partywall/internal/rendezvous"
)

// A Place is where the files of sections lie.
type Place = rendezvous.Place

// ending is that of an anchor's file. Those of regions have a dot and the generation behind it.
const ending = ".section"

// The byte-range locks lie far behind what is in an anchor's file.
const (
	nameByte  = 1 << 40
	firstMark = nameByte + 1
	markRange = 1 << 20
)

// settling is how many milliseconds a new file of a group may have the wrong mode.
const settling = 100

// Files is a [Backing] of files in a run directory: an anchor and a region for each
// generation. The name lock and the marks are byte-range locks of the anchor's
// file, which belong to this Files and end with it: fcntl(2), "Open file description locks",
// and LockFileEx.
type Files struct {
	dir    *rendezvous.Dir
	file   *os.File // the anchor
	stem   string
	anchor atomic.Pointer[region.Region]
	bell   *sleeper

	mu   sync.Mutex // one goroutine has the name lock at a time
	mine int        // the number whose mark this has, or -1
}

// openPlace opens a place's directory.
func openPlace(place Place, create bool) (*rendezvous.Dir, error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	return place.Open(create)
}

// OpenFiles opens the files of a name, and returns with the name lock. With create it makes
// an anchor that is missing, which has no bytes then; else the error wraps
// [partywall.ErrNotFound].
func OpenFiles(ctx context.Context, place Place, name string, create bool) (_ *Files, err error) {
	dir, err := openPlace(place, create)
	if err != nil {
		return nil, err
	}
	f := &Files{dir: dir, stem: rendezvous.Stem(name), mine: -1}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	for tries := 0; ; tries++ {
		f.file, err = dir.Open(f.stem+ending, flags)
		switch {
		case errors.Is(err, os.ErrPermission) && place.Group != "" && tries < settling:
			time.Sleep(time.Millisecond) // another member may just have made it, and not yet opened it to the group
			continue
		case errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("%w: there is none, or no process has it open", partywall.ErrNotFound)
		case errors.Is(err, os.ErrExist):
			continue // made by another meanwhile
		case err != nil:
			return nil, err
		}
		if err := f.Lock(ctx); err != nil {
			return nil, err
		}
		// Whoever had the lock before may have removed the file.
		if dir.Same(f.stem+ending, f.file) {
			if f.bell, err = fileSleeper(f.file); err != nil {
				return nil, err
			}
			return f, f.mapAnchor(false)
		}
		f.Unlock()
		f.file.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("its file is another at each look: %w", context.Cause(ctx))
		}
	}
}

// mapAnchor maps what the anchor's file holds, in whole pages.
func (f *Files) mapAnchor(readOnly bool) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	page := int64(os.Getpagesize())
	size := min(info.Size(), 1<<30) / page * page
	if size == 0 {
		return f.checkShort(info.Size())
	}
	r, err := region.MapFile(f.file, size, readOnly)
	if err != nil {
		return err
	}
	f.anchor.Store(r)
	return nil
}

// checkShort returns an error if a file that is shorter than any anchor has something in it: it is somebody's, and must not be
// written over. An anchor that could not be made whole has zeros.
func (f *Files) checkShort(size int64) error {
	b := make([]byte, size)
	if _, err := f.file.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, c := range b {
		if c != 0 {
			return fmt.Errorf("%w: its file has %d bytes and is none of a section; remove it", partywall.ErrProtocol, size)
		}
	}
	return nil
}

// Lock implements [Backing].
func (f *Files) Lock(ctx context.Context) error {
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		if f.mu.TryLock() {
			ok, err := tryLock(f.file, nameByte)
			if ok {
				return nil
			}
			f.mu.Unlock()
			if err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: waited for the process that opens, closes or grows it: %w", partywall.ErrBusy, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// Unlock implements [Backing].
func (f *Files) Unlock() {
	unlock(f.file, nameByte)
	f.mu.Unlock()
}

// Anchor implements [Backing].
func (f *Files) Anchor() []byte {
	if r := f.anchor.Load(); r != nil {
		return r.Bytes()
	}
	return nil
}

// Grows implements [Backing].
func (f *Files) Grows() bool { return true }

// Format implements [Backing].
func (f *Files) Format(size int) error {
	if err := f.named(); err != nil {
		return err
	}
	if err := f.removeRegions(math.MaxUint64); err != nil {
		return err
	}
	f.unmapAnchor()
	// A process that is just being killed may have the file mapped still: Windows refuses to make
	// it shorter then.
	size = wholePages(size)
	if err := allocate(f.file, int64(size)); err != nil {
		return err
	}
	r, err := region.MapFile(f.file, int64(size), false)
	if err != nil {
		return err
	}
	clearFirst(r.Bytes())
	f.anchor.Store(r)
	return nil
}

func (f *Files) unmapAnchor() error {
	if r := f.anchor.Swap(nil); r != nil {
		return r.Close()
	}
	return nil
}

// clearFirst makes memory zeros, and its first word before all others: as long as that is not
// zero, all is there.
func clearFirst(mem []byte) {
	region.At[atomic.Uint64](mem, 0).Store(0)
	clear(mem)
}

func wholePages(size int) int {
	page := os.Getpagesize()
	return (size + page - 1) / page * page
}

// Anyone implements [Backing].
func (f *Files) Anyone() bool {
	if f.mine < 0 {
		return locked(f.file, firstMark, markRange)
	}
	return locked(f.file, firstMark, int64(f.mine)) || locked(f.file, firstMark+int64(f.mine)+1, markRange)
}

// Claim implements [Backing].
func (f *Files) Claim(number int) (bool, error) {
	ok, err := tryLock(f.file, firstMark+int64(number))
	if ok {
		f.mine = number
	}
	return ok, err
}

// Unclaim implements [Backing].
func (f *Files) Unclaim() {
	if f.mine >= 0 {
		unlock(f.file, firstMark+int64(f.mine))
		f.mine = -1
	}
}

// Release implements [Backing]. Whoever is the last does not find the file mapped by those
// who have left: Windows would not delete it.
func (f *Files) Release() {
	f.unmapAnchor()
	f.Unclaim()
}

// Alive implements [Backing].
func (f *Files) Alive(number int) bool { return locked(f.file, firstMark+int64(number), 1) }

// named returns an error if somebody has removed the anchor's file: what has its name now is another's, and so are
// the regions.
func (f *Files) named() error {
	if f.dir.Same(f.stem+ending, f.file) {
		return nil
	}
	return fmt.Errorf("%w: somebody has removed its files, and it cannot grow any more: close it, and open it again", partywall.ErrProtocol)
}

// Destroy implements [Backing].
func (f *Files) Destroy() error {
	if f.named() != nil {
		return nil
	}
	if err := f.removeRegions(math.MaxUint64); err != nil {
		return err
	}
	f.unmapAnchor()
	return f.dir.Remove(f.stem + ending)
}

// Sleep implements [Backing].
func (f *Files) Sleep(bell *atomic.Uint32, seen uint32, number int) { f.bell.sleep(bell, seen, number) }

// Wake implements [Backing].
func (f *Files) Wake(bell *atomic.Uint32, asleep func(int) bool, numbers int) {
	f.bell.wake(bell, asleep, numbers)
}

// WakeOwn implements [Backing].
func (f *Files) WakeOwn(bell *atomic.Uint32, number int) { f.bell.wakeOwn(bell, number) }

// Close implements [Backing].
func (f *Files) Close() error {
	errs := []error{f.unmapAnchor()}
	f.bell.close()
	if f.file != nil {
		// Closing alone would keep the locks for as long as a process that is just being
		// started shares the open file, which is until its exec.
		f.Release()
		unlock(f.file, nameByte)
		errs = append(errs, f.file.Close())
	}
	errs = append(errs, f.dir.Close())
	return errors.Join(errs...)
}
