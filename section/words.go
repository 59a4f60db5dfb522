package section

// A switchWord says which value is current: bits 0 to 2 the cell, bit 3 whether the region has
// been moved, the others the version.
type switchWord uint64

const (
	movedBit     switchWord = 1 << 3
	versionShift            = 4
)

func newSwitch(version uint64, cell int) switchWord {
	return switchWord(version<<versionShift | uint64(cell))
}

func (w switchWord) version() uint64 { return uint64(w >> versionShift) }
func (w switchWord) cell() int       { return int(w & 7) }
func (w switchWord) moved() bool     { return w&movedBit != 0 }

// A lockWord says who writes: bit 0 whether somebody does, bit 1 whether he is about to switch,
// bits 2 to 15 the number of the participant who does or did so last, the others a ticket, which
// makes each hold another.
type lockWord uint64

const (
	heldBit     lockWord = 1 << 0
	commitBit   lockWord = 1 << 1
	ownerShift           = 2
	ownerMask            = 1<<14 - 1
	ticketShift          = 16
)

func (w lockWord) held() bool   { return w&heldBit != 0 }
func (w lockWord) commit() bool { return w&commitBit != 0 }
func (w lockWord) owner() int   { return int(w >> ownerShift & ownerMask) }

// next returns the word of the hold by a participant that follows w.
func (w lockWord) next(number int) lockWord {
	return (w>>ticketShift+1)<<ticketShift | lockWord(number)<<ownerShift | heldBit
}

// free returns the word after the hold w.
func (w lockWord) free() lockWord { return w &^ (heldBit | commitBit) }

// pinsShift is where the incarnation begins in a pins word.
const pinsShift = 8

// pinned returns the cells that a pins word names, as bits.
func pinned(word uint64) uint8 { return uint8(word) }
