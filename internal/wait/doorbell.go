package wait

import "sync/atomic"

// A doorbell is one 32-bit word in shared memory that one side alone writes:
// even while it is awake, odd while it sleeps, growing by one at each change, by two from one sleep to another.

// A Sleeper is the writing end of a doorbell. One goroutine at a time uses it.
type Sleeper struct {
	word *atomic.Uint32
	n    uint32 // what the word holds; never read back, since a peer could have written it
}

// NewSleeper returns the sleeper of word, awake.
func NewSleeper(word *atomic.Uint32) Sleeper { return Sleeper{word: word} }

// Sleep publishes "I sleep". The caller must look again at everything that it
// watches before it parks.
func (s *Sleeper) Sleep() {
	s.n |= 1
	Announce(s.word, s.n)
}

// Again publishes another sleep, of a side that sleeps: the peer rings once more. The caller must look
// at everything that it watches before it parks again.
func (s *Sleeper) Again() {
	s.n += 2
	Announce(s.word, s.n)
}

// Wake publishes "I am awake" if the word says otherwise. The caller must look
// at everything that it watches afterwards.
func (s *Sleeper) Wake() {
	if s.n&1 == 1 {
		s.n++
		Announce(s.word, s.n)
	}
}

// A Bell is the reading end of the peer's doorbell. It may be used concurrently.
type Bell struct {
	word *atomic.Uint32
	rung atomic.Uint32 // the last sleep that was rung for; 0 is none, being even
}

// Init makes b the bell of word.
func (b *Bell) Init(word *atomic.Uint32) { b.word = word }

// Due reports whether the caller, having published something, must ring: the
// peer says that it sleeps, and nobody in this process has rung for that sleep.
// A lying peer that changes the word costs at most one ring for each change.
func (b *Bell) Due() bool {
	w := b.word.Load()
	if w&1 == 0 {
		return false
	}
	r := b.rung.Load()
	return r != w && b.rung.CompareAndSwap(r, w)
}

// Rung returns the last sleep for which this process rang, 0 before the first.
func (b *Bell) Rung() uint32 { return b.rung.Load() }
