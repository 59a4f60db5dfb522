package call

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
)

// maxLent is how many regions all clients together may have lent to this process.
// Each is a mapping, of which Linux gives a process 65,530 (vm.max_map_count); one
// that has no more cannot grow its heap either, and dies.
const maxLent = 32 << 10

var lentToAll atomic.Int64

// lentRegions are the body regions that a client has lent, as the server maps them.
type lentRegions struct {
	quota int64

	mu    sync.Mutex
	total int64
	last  uint32
	known map[uint32]*lentRegion
}

// lentRegion is unmapped when the client has taken it back and the last call
// that uses it has ended.
type lentRegion struct {
	*region.Region
	users int // guarded by lentRegions.mu; the client's loan counts as one
}

func (l *lentRegions) init(quota int64) {
	l.quota = quota
	l.known = map[uint32]*lentRegion{}
}

// add checks and maps a region that the client lends. It takes over file, or is
// told why that was lost. An error that wraps ErrProtocol ends the conn; others
// refuse the loan.
func (l *lentRegions) add(m lend, file *os.File, lost error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case m.Region != l.last+1:
		file.Close()
		return fmt.Errorf("%w: region %d is lent after region %d", partywall.ErrProtocol, m.Region, l.last)
	case m.Size > uint64(region.MaxSize):
		file.Close()
		return fmt.Errorf("%w: a region of %d bytes is lent", partywall.ErrProtocol, m.Size)
	}
	l.last++
	if lost != nil {
		return lost
	}
	if size := cost(int64(m.Size)); l.total+size > l.quota {
		file.Close()
		return fmt.Errorf("%w: %d bytes lent and %d more exceed this client's quota of %d; raise it with call.Quota where the service listens",
			partywall.ErrTooLarge, l.total, size, l.quota)
	}
	if lentToAll.Add(1) > maxLent {
		lentToAll.Add(-1)
		file.Close()
		return fmt.Errorf("%w: the server's process has been lent %d regions, the most that it takes", partywall.ErrTooLarge, maxLent)
	}
	r, err := region.Accept(file, int64(m.Size))
	if err != nil {
		lentToAll.Add(-1)
		return err
	}
	l.total += cost(r.Size())
	l.known[m.Region] = &lentRegion{Region: r, users: 1}
	return nil
}

// cost is what a region of size bytes takes of the client's quota. Honest clients
// lend no less than minBody; a smaller region costs the server as much.
func cost(size int64) int64 { return max(size, minBody) }

// use returns a region for one call. It serves no other meanwhile: so what calls
// copy out of regions is never more than the client has lent.
func (l *lentRegions) use(number uint32) (*lentRegion, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.known[number]
	switch {
	case r == nil:
		return nil, fmt.Errorf("region %d, which is not lent", number)
	case r.users > 1:
		return nil, fmt.Errorf("region %d, which another call uses", number)
	}
	r.users++
	return r, nil
}

// done ends one use.
func (l *lentRegions) done(r *lentRegion) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(r)
}

// remove ends the client's loan.
func (l *lentRegions) remove(number uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.known[number]
	if r == nil {
		return fmt.Errorf("%w: region %d is taken back, which is not lent", partywall.ErrProtocol, number)
	}
	delete(l.known, number)
	l.drop(r)
	return nil
}

func (l *lentRegions) drop(r *lentRegion) {
	if r.users--; r.users == 0 {
		l.total -= cost(r.Size())
		r.Close()
		lentToAll.Add(-1)
	}
}

// close unmaps everything; no call is running.
func (l *lentRegions) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for number, r := range l.known {
		delete(l.known, number)
		l.drop(r)
	}
}
