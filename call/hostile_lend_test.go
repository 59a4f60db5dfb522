//go:build linux || windows

package call

import (
	"math"
	"os"
)

// lendThis lends what open opens, announcing size bytes.
func lendThis(size uint64, open func() (*os.File, error)) func(*lyingClient) error {
	return func(l *lyingClient) error {
		f, err := open()
		if err != nil {
			return err
		}
		return l.lendAndUse(size, f)
	}
}

// memory opens memory of that size, as an honest peer makes it.
func memory(size int64) func() (*os.File, error) {
	return func() (*os.File, error) { return lendable(size) }
}

// lendLies are lies with what is lent, on any system; strangeLends has those that each has of its own.
var lendLies = []clientLie{
	{name: "lend-no-lie", want: served, lie: lendThis(page64K, memory(page64K))},
	{name: "lend-no-descriptor", lie: func(l *lyingClient) error {
		_, err := l.lend(page64K)
		return err
	}},

	// Of another size than announced, or than is legal.
	{name: "lend-smaller", lie: lendThis(2*page64K, memory(page64K))},
	{name: "lend-larger", lie: lendThis(page64K, memory(2*page64K))},
	{name: "lend-size-zero", lie: lendThis(0, memory(page64K))},
	{name: "lend-size-no-pages", lie: lendThis(page64K+1, memory(page64K+1))},
	{name: "lend-size-negative", lie: lendThis(1<<63, memory(page64K))},
	{name: "lend-size-huge", lie: lendThis(math.MaxUint64, memory(page64K))},
	{name: "lend-over-quota", want: served, lie: func(l *lyingClient) error {
		size := int64(l.welcome.Quota) + page64K
		f, err := lendable(size)
		if err != nil {
			return err
		}
		return l.lendRefused(uint64(size), f)
	}},
	{name: "lend-over-quota-in-parts", want: served, lie: func(l *lyingClient) error {
		size := int64(l.welcome.Quota) / 2
		for range 2 {
			if _, err := l.lendHonest(size); err != nil {
				return err
			}
		}
		f, err := lendable(page64K)
		if err != nil {
			return err
		}
		if err := l.lendRefused(page64K, f); err != nil {
			return err
		}
		if err := l.send(msgUnlend, encode(unlend{Region: 1})); err != nil {
			return err
		}
		_, err = l.lendHonest(page64K)
		return err
	}},

	// Out of turn.
	{name: "lend-number-skipped", lie: func(l *lyingClient) error {
		l.regions = 1
		return lendThis(page64K, memory(page64K))(l)
	}},
	{name: "lend-number-twice", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		l.regions--
		return lendThis(page64K, memory(page64K))(l)
	}},
	{name: "lend-number-zero", lie: func(l *lyingClient) error {
		l.regions = math.MaxUint32
		return lendThis(page64K, memory(page64K))(l)
	}},
	{name: "unlend-never-lent", lie: func(l *lyingClient) error {
		return l.send(msgUnlend, encode(unlend{Region: 1}))
	}},
	{name: "unlend-zero", lie: func(l *lyingClient) error {
		return l.send(msgUnlend, encode(unlend{}))
	}},
	{name: "unlend-twice", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		if err := l.send(msgUnlend, encode(unlend{Region: 1})); err != nil {
			return err
		}
		return l.send(msgUnlend, encode(unlend{Region: 1}))
	}},

	// Descriptors where none belongs. The victim's are counted after each attack.
	{name: "descriptor-with-ring", lie: func(l *lyingClient) error { return l.sendWithFile(msgRing, nil) }},
	{name: "descriptor-with-cancel", lie: func(l *lyingClient) error {
		return l.sendWithFile(msgCancel, encode(cancellation{}))
	}},
	{name: "descriptor-with-unknown", lie: func(l *lyingClient) error { return l.sendWithFile(99, nil) }},
	{name: "descriptor-on-second-page", lie: func(l *lyingClient) error {
		if err := l.raw(frame(msgResolve, true, make([]byte, framePayload))); err != nil {
			return err
		}
		return l.sendWithFile(msgResolve, []byte("end"))
	}},
	{name: "descriptor-with-unfinished", cause: errNone, lie: func(l *lyingClient) error {
		f, err := notMemory()
		if err != nil {
			return err
		}
		if err := l.raw(frame(msgLend, true, []byte("and more")), f); err != nil {
			return err
		}
		return l.leave()
	}},
	{name: "descriptor-with-garbage", lie: func(l *lyingClient) error {
		f, err := notMemory()
		if err != nil {
			return err
		}
		return l.raw([]byte("garbage"), f)
	}},
	{name: "descriptor-with-oversized", lie: func(l *lyingClient) error {
		f, err := notMemory()
		if err != nil {
			return err
		}
		return l.raw(frame(msgLend, false, make([]byte, 2*framePayload)), f)
	}},
}

// sendWithFile sends a message that takes no descriptor with one.
func (l *lyingClient) sendWithFile(kind uint8, payload []byte) error {
	f, err := notMemory()
	if err != nil {
		return err
	}
	return l.send(kind, payload, f)
}

// leave ends the conn by itself, which is no lie.
func (l *lyingClient) leave() error {
	if err := l.hangUp(); err != nil {
		return err
	}
	return errEnded
}
