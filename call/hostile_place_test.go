//go:build linux || windows

package call

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// still begins a call in place whose handler does not return, in slot 0 and in region 1, and
// sees to it that the handler runs.
func (l *lyingClient) still(fields requestFields) error {
	if _, err := l.lendHonest(page64K); err != nil {
		return err
	}
	fields.method, fields.argLen, fields.region = stillNumber, pairSize, 1
	if err := l.publish(0, fields); err != nil {
		return err
	}
	return l.probe()
}

// shares has another call use the region of the one that runs.
func shares(fields requestFields) func(*lyingClient) error {
	return func(l *lyingClient) error {
		if err := l.still(requestFields{bodyLen: page64K}); err != nil {
			return err
		}
		_, err := l.ask(1, fields)
		return err
	}
}

// spot is an argument in place.
func (l *lyingClient) spot(slot int, n uint64) {
	binary.NativeEndian.PutUint64(l.slot(slot).arg, n)
}

// placed are the fields of an honest call in place.
func placed(bodyLen uint64) requestFields {
	return requestFields{method: placeNumber, argLen: room, region: 1, bodyLen: bodyLen}
}

// placeLies are lies about methods that work in place, and about regions that two
// calls use.
var placeLies = []clientLie{
	{name: "place-no-lie", want: served, lie: func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(bytes.Repeat([]byte{1}, page64K), 0); err != nil {
			return err
		}
		for i := range uint64(100) {
			l.spot(0, 600)
			if err := l.askFor(0, placed(600+i), statusDone); err != nil {
				return err
			}
			if got := binary.NativeEndian.Uint64(l.slot(0).result); got != 600*(i+1) {
				return fmt.Errorf("the sum is %d, want %d", got, 600*(i+1))
			}
		}
		return nil
	}},
	{name: "place-no-body", want: served, lie: func(l *lyingClient) error {
		return l.askFor(0, requestFields{method: placeNumber, argLen: room}, statusDone)
	}},
	{name: "place-argument-lies", want: served, lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		for _, n := range []uint64{101, page64K, 1 << 63, math.MaxUint64} {
			l.spot(0, n)
			if err := l.askFor(0, placed(100), statusError); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "place-fetch", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		if err := l.askFor(0, placed(0), statusDone); err != nil {
			return err
		}
		fields := placed(0)
		fields.flags = flagFetch
		_, err := l.ask(0, fields)
		return err
	}},
	{name: "place-fetch-drops-nothing", want: served, lie: func(l *lyingClient) error {
		fields := placed(0)
		fields.flags, fields.region = flagFetch, 0
		return l.askFor(0, fields, statusDone)
	}},
	// The handler's memory stays until it returns.
	{name: "place-taken-back-in-use", want: served, lie: func(l *lyingClient) error {
		if err := l.still(requestFields{flags: flagCancellable, bodyLen: page64K}); err != nil {
			return err
		}
		if err := l.send(msgUnlend, encode(unlend{Region: 1})); err != nil {
			return err
		}
		if err := l.check(); err != nil {
			return err
		}
		if err := l.send(msgCancel, encode(cancellation{Slot: 0, Seq: l.seq[0]})); err != nil {
			return err
		}
		if answer, err := l.await(0); err != nil || answer.status != statusError {
			return fmt.Errorf("the cancelled call: %+v, %w", answer, err)
		}
		return nil
	}},

	// A region is one call's.
	{name: "region-one-after-the-other", want: served, lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		for i := range 100 {
			if err := l.askFor(i%8, requestFields{method: bytesNumber, argLen: 1000, region: 1}, statusDone); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "region-shared", lie: shares(requestFields{method: addNumber, argLen: pairSize, region: 1, bodyLen: 1})},
	{name: "region-shared-in-place", lie: shares(placed(page64K))},
	{name: "region-shared-for-an-argument", lie: shares(requestFields{method: bytesNumber, argLen: page64K, region: 1})},
	{name: "region-shared-for-metadata", lie: shares(requestFields{method: addNumber, argLen: pairSize, metaLen: maxMeta, region: 1})},
	{name: "region-shared-for-a-result", lie: shares(requestFields{method: describeNumber, region: 1})},
	{name: "region-shared-for-nothing", lie: shares(requestFields{method: addNumber, argLen: pairSize, region: 1})},
	{name: "region-shared-with-a-fetch-of-nothing", lie: shares(fetch(1))},
	{name: "region-shared-with-a-fetch", lie: func(l *lyingClient) error {
		l.argument(1, 100, 0)
		if err := l.askFor(1, ordinary(keepNumber), statusKept); err != nil {
			return err
		}
		return shares(fetch(1))(l)
	}},
	{name: "region-shared-at-once", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		for i := range 8 {
			s := l.slot(i)
			s.req.requestFields = requestFields{method: stillNumber, argLen: pairSize, region: 1, bodyLen: page64K}
			s.req.seq.Store(1)
			l.seq[i] = 1
			l.point(i, 0)
		}
		if err := l.ring(); err != nil {
			return err
		}
		_, err := l.await(7)
		return err
	}},
	{name: "region-taken-back-and-shared", lie: func(l *lyingClient) error {
		if err := l.still(requestFields{bodyLen: page64K}); err != nil {
			return err
		}
		if err := l.send(msgUnlend, encode(unlend{Region: 1})); err != nil {
			return err
		}
		if _, err := l.question("lie.add"); err != nil {
			return err
		}
		_, err := l.ask(1, placed(page64K))
		return err
	}},
	// What a lost region cost is the client's again, once nobody uses it.
	{name: "region-lent-again-and-again", want: served, lie: func(l *lyingClient) error {
		size := int64(l.welcome.Quota)
		f, err := lendable(size)
		if err != nil {
			return err
		}
		for range 50 {
			answer, err := l.lend(uint64(size), f)
			if err != nil || answer.Refuse.Code != 0 {
				return fmt.Errorf("region %d: %s, %w", l.regions, answer.Refuse.Text, err)
			}
			if err := l.publish(0, requestFields{method: bytesNumber, argLen: 10_000, region: l.regions}); err != nil {
				return err
			}
			if _, err := l.await(0); err != nil {
				return err
			}
			if err := l.send(msgUnlend, encode(unlend{Region: l.regions})); err != nil {
				return err
			}
		}
		return nil
	}},
}
