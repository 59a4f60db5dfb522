package section

import "github.com/partywall/partywall/internal/backing"

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
