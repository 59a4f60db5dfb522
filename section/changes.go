package section

import (
	"context"
	"fmt"
	"iter"

	"github.com/partywall/partywall"
)

// watchWith yields what load returns, for each version that w sees: see [Section.Watch].
func watchWith[V any](ctx context.Context, c *core, load func(*V) (version uint64, err error)) iter.Seq2[Change[V], error] {
	return func(yield func(Change[V], error) bool) {
		w := c.watch(ctx)
		defer w.done()
		var known uint64
		for {
			var change Change[V]
			_, err := w.await(known)
			if err == nil {
				change.Version, err = load(&change.Value)
			} else {
				err = c.wrap(err)
			}
			if err != nil {
				yield(Change[V]{}, err)
				return
			}
			change.Skipped = skipped(known, change.Version)
			known = change.Version
			if !yield(change, nil) {
				return
			}
		}
	}
}

// protocol says that what lies in a section is nothing that this package has stored.
func protocol(err error) error { return fmt.Errorf("%w: %w", partywall.ErrProtocol, err) }
