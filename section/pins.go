package section

import (
	"sync"
	"sync/atomic"

	"github.com/partywall/partywall/internal/wait"
)

// pins are the cells that the goroutines of a handle read. Its word in the anchor has a bit
// for each cell that one of them has pinned.
type pins struct {
	mu    sync.Mutex
	word  *atomic.Uint64
	base  uint64 // the incarnation of the entry, in its place
	count [8]int
}

// init takes over the entry's word from whoever had it before.
func (p *pins) init(word *atomic.Uint64) {
	p.word = word
	p.base = (word.Load()>>pinsShift + 1) << pinsShift
	word.Store(p.base)
}

func (p *pins) add(cell int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count[cell]++
	p.store()
}

func (p *pins) remove(cell int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count[cell]--
	p.store()
}

func (p *pins) store() {
	word := p.base
	for cell, n := range p.count {
		if n > 0 {
			word |= 1 << cell
		}
	}
	wait.Announce64(p.word, word)
}
