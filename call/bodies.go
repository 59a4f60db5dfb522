package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
)

const (
	// minBody is the smallest body region, and roundBody what large ones are
	// rounded up to; between them lie the powers of two.
	minBody   = 64 << 10
	roundBody = 64 << 20
)

// idleBody is how long a warm body region is kept unused.
var idleBody = 10 * time.Second

// bodyRegion is memory that this client has lent to the server. The fields
// belong to whoever has claimed it.
type bodyRegion struct {
	number uint32
	region *region.Region
	used   time.Time
}

func (r *bodyRegion) bytes() []byte { return r.region.Bytes() }

// bodyPool holds a conn's body regions: PROTOCOL.md, "Bodies".
type bodyPool struct {
	conn    *Conn
	lending sync.WaitGroup
	order   sync.Mutex // held from a region's number to its LEND: the server takes them in order
	last    uint32     // guarded by order

	// The reader takes asked and never mu, under which UNLEND may wait for the
	// server to read: it may be waiting for this side's reader.
	asked   sync.Mutex
	pending map[uint32]chan lent // guarded by asked

	mu      sync.Mutex
	ended   bool
	total   int64         // bytes lent or being lent
	warm    []*bodyRegion // not in use, the last used at the end
	changed chan struct{} // closed when a region is released or dropped; nil if nobody waits
	timer   *time.Timer
}

func (p *bodyPool) init(c *Conn) {
	p.conn = c
	p.pending = map[uint32]chan lent{}
}

// bodyClass returns the size of the region for a need of n bytes within quota.
func bodyClass(n, quota int64) int64 {
	size := int64(minBody)
	for size < n && size < roundBody {
		size *= 2
	}
	if size < n {
		size = (n + roundBody - 1) / roundBody * roundBody
	}
	if size > quota { // what is needed is within quota, only the rounding is not
		size = (n + minBody - 1) / minBody * minBody
	}
	return size
}

// errNoQuota: other calls have the quota just now.
var errNoQuota = errors.New("no quota just now")

// claim returns a region of at least n bytes: a warm one, or a new one once there is
// quota for it. If it shall not wait for that, it returns errNoQuota instead.
func (p *bodyPool) claim(ctx context.Context, n int64, wait bool) (*bodyRegion, error) {
	size := bodyClass(n, p.conn.quota)
	if size > p.conn.quota {
		return nil, fmt.Errorf("%w: bodies of %d bytes exceed this client's quota of %d; raise it with call.Quota where the service listens",
			partywall.ErrTooLarge, n, p.conn.quota)
	}
	for {
		r, changed, err := p.try(n, size, wait)
		if r != nil || err != nil {
			return r, err
		}
		if changed == nil {
			return p.create(ctx, size)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.conn.ended:
			return nil, p.conn.Err()
		}
	}
}

// try takes the smallest warm region that is large enough. If there is none it
// reserves quota for a new one, dropping warm ones if it must and that is enough;
// failing that, it returns what to wait for, or errNoQuota.
func (p *bodyPool) try(n, size int64, wait bool) (*bodyRegion, chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, nil, p.conn.Err()
	}
	best, free := -1, p.conn.quota-p.total
	for i, r := range p.warm {
		free += r.region.Size()
		if have := r.region.Size(); have >= n && (best < 0 || have < p.warm[best].region.Size()) {
			best = i
		}
	}
	if best >= 0 {
		r := p.warm[best]
		p.warm = slices.Delete(p.warm, best, best+1)
		return r, nil, nil
	}
	if size > free {
		if !wait {
			return nil, nil, errNoQuota
		}
		if p.changed == nil {
			p.changed = make(chan struct{})
		}
		return nil, p.changed, nil
	}
	for p.total+size > p.conn.quota {
		p.drop(0)
	}
	p.total += size
	return nil, nil, nil
}

// drop gives up the i-th warm region: the server is told before anything else
// is lent.
func (p *bodyPool) drop(i int) {
	r := p.warm[i]
	p.warm = slices.Delete(p.warm, i, i+1)
	p.total -= r.region.Size()
	if err := p.conn.link.Send(msgUnlend, encode(unlend{Region: r.number}), nil); err != nil {
		go p.conn.lost(err) // which takes the lock
	}
	r.region.Close()
	p.notify()
}

func (p *bodyPool) notify() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// create makes a region and lends it. A caller that gives up meanwhile leaves it
// to the pool.
func (p *bodyPool) create(ctx context.Context, size int64) (*bodyRegion, error) {
	type outcome struct {
		region *bodyRegion
		err    error
	}
	result := make(chan outcome)
	p.lending.Go(func() {
		r, err := p.lend(size)
		if err != nil {
			p.mu.Lock()
			p.total -= size
			p.notify()
			p.mu.Unlock()
		}
		select {
		case result <- outcome{r, err}:
		case <-ctx.Done():
			if r != nil {
				p.release(r)
			}
		}
	})
	select {
	case o := <-result:
		return o.region, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lend makes a region, hands it to the server and waits for its word. The quota
// is reserved already.
func (p *bodyPool) lend(size int64) (*bodyRegion, error) {
	mem, err := region.Create("body", size, region.Filled)
	if err != nil {
		return nil, err
	}
	defer mem.CloseFile()
	number, reply, err := p.offer(mem)
	if err != nil {
		mem.Close()
		p.conn.lost(err)
		return nil, p.conn.Err()
	}
	select {
	case l := <-reply:
		if l.Refuse.Code != 0 {
			mem.Close()
			err := l.Refuse.err()
			if errors.Is(err, partywall.ErrProtocol) {
				p.conn.fail(fmt.Errorf("conn to %q: lend: %w", p.conn.service, err))
			}
			return nil, err
		}
		return &bodyRegion{number: number, region: mem}, nil
	case <-p.conn.ended:
		mem.Close()
		return nil, p.conn.Err()
	}
}

// offer sends the LEND and returns the region's number and where the answer comes.
func (p *bodyPool) offer(mem *region.Region) (uint32, chan lent, error) {
	reply := make(chan lent, 1)
	p.order.Lock()
	defer p.order.Unlock()
	p.last++
	number := p.last
	p.asked.Lock()
	p.pending[number] = reply
	p.asked.Unlock()
	return number, reply, p.conn.link.Send(msgLend, encode(lend{Region: number, Size: uint64(mem.Size())}), mem.File())
}

func (p *bodyPool) deliver(l lent) error {
	p.asked.Lock()
	defer p.asked.Unlock()
	reply := p.pending[l.Region]
	if reply == nil {
		return fmt.Errorf("%w: an answer about region %d, which was not lent", partywall.ErrProtocol, l.Region)
	}
	delete(p.pending, l.Region)
	reply <- l
	return nil
}

// release makes a region warm again, that the server has let go of.
func (p *bodyPool) release(r *bodyRegion) {
	r.used = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warm = append(p.warm, r)
	p.notify()
	if p.timer == nil && !p.ended {
		p.timer = time.AfterFunc(idleBody, p.expire)
	}
}

// expire drops the regions that nobody has used for a while.
func (p *bodyPool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	if p.ended {
		return
	}
	for len(p.warm) > 0 && time.Since(p.warm[0].used) >= idleBody {
		p.drop(0)
	}
	if len(p.warm) > 0 {
		p.timer = time.AfterFunc(idleBody-time.Since(p.warm[0].used), p.expire)
	}
}

// end stops the timer and wakes whoever waits for quota.
func (p *bodyPool) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	p.notify()
}

// close unmaps everything. No call is in flight any more.
func (p *bodyPool) close() {
	p.lending.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.warm {
		r.region.Close()
	}
	p.warm = nil
}
