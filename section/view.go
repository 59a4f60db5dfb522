package section

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/backing"
	"github.com/partywall/partywall/internal/region"
)

// openView returns the backing of a view with the name lock. Memory that has something else is not
// written to.
func openView(ctx context.Context, mem []byte) (b backing.Backing, err error) {
	defer unguard(guard(), &err)
	if len(mem) >= anchorBytes(1) {
		if !aligned(mem) {
			return nil, fmt.Errorf("its memory has to begin at an address that is a multiple of %d, as mapped memory does", cellAlign)
		}
		var magic [8]byte
		binary.NativeEndian.PutUint64(magic[:], region.At[atomic.Uint64](mem, 0).Load())
		if magic != [8]byte{} && !bytes.Equal(magic[:7], anchorMagic[:7]) {
			return nil, fmt.Errorf("%w: its memory begins with %q; it has to be zeros, or a section", partywall.ErrProtocol, magic[:])
		}
	}
	v, err := backing.OpenView(ctx, mem, viewLayout(len(mem)))
	if err != nil {
		return nil, err
	}
	return v, nil
}

// viewLayout says how much of a view is the anchor, and where package backing finds in it what
// it needs.
func viewLayout(bytes int) backing.ViewLayout {
	entries := min(max(bytes/256, 4), Participants)
	return backing.ViewLayout{
		Anchor:  roundUp(anchorBytes(entries), cellAlign),
		Builder: anchorBuilder,
		Table:   anchorTable,
		Stride:  entryBytes,
		Nonce:   anchorNonce,
	}
}
