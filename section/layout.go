package section

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/region"
)

// LayoutVersion counts the changes of docs/LAYOUT.md, "A section", that a program of the version
// before would misread.
const LayoutVersion = 1

// This file is docs/LAYOUT.md, "A section", in code.

var (
	anchorMagic = [8]byte{'P', 'W', 'A', 'L', 'L', 'S', 'A', '1'}
	regionMagic = [8]byte{'P', 'W', 'A', 'L', 'L', 'S', 'R', '1'}
)

// Offsets in the anchor.
const (
	anchorVersion  = 8
	anchorEntries  = 12
	anchorFlags    = 16
	anchorNameLen  = 20
	anchorName     = 24
	anchorCurrent  = 128
	anchorBuilder  = 136 // for package backing: who has a view's name lock
	anchorHolder   = 144 // the process that had the name lock last, for people
	anchorNonce    = 152 // for package backing: what tells a view's bell from others'
	anchorBell     = 256
	anchorSleepers = 260
	anchorTable    = 384
)

// keepFlag: the section outlives its processes.
const keepFlag = 1

// Participants is how many handles a section can have open at once, in all processes together.
const Participants = 1024

// An entry is a participant's in the anchor's table.
type entry struct {
	who      atomic.Uint64 // for package backing: who has a view's mark; else the process id
	pins     atomic.Uint64 // incarnation << 8, and a bit for each cell
	since    atomic.Int64  // when it was opened, in nanoseconds since 1970
	watchers atomic.Uint32 // how many loops of it watch
	role     atomic.Uint32
}

const entryBytes = 32

// Roles.
const (
	roleReader = 1
	roleWriter = 2
)

// anchorBytes is how long an anchor with that many entries is.
func anchorBytes(entries int) int { return anchorTable + entries*entryBytes }

// An anchor is the mapped anchor's words.
type anchor struct {
	mem      []byte
	current  *atomic.Uint64
	flags    *atomic.Uint32
	holder   *atomic.Uint32
	bell     *atomic.Uint32
	sleepers *atomic.Uint32
	entries  int
}

// newAnchor returns the words of an anchor's bytes.
func newAnchor(mem []byte, entries int) *anchor {
	return &anchor{
		mem:      mem,
		current:  region.At[atomic.Uint64](mem, anchorCurrent),
		flags:    region.At[atomic.Uint32](mem, anchorFlags),
		holder:   region.At[atomic.Uint32](mem, anchorHolder),
		bell:     region.At[atomic.Uint32](mem, anchorBell),
		sleepers: region.At[atomic.Uint32](mem, anchorSleepers),
		entries:  entries,
	}
}

func (a *anchor) entry(number int) *entry {
	return region.At[entry](a.mem, anchorTable+number*entryBytes)
}

// write makes the anchor of zeros that of a name. The magic comes last: without it there is
// no anchor.
func (a *anchor) write(name string) {
	le := binary.LittleEndian
	le.PutUint32(a.mem[anchorVersion:], LayoutVersion)
	le.PutUint32(a.mem[anchorEntries:], uint32(a.entries))
	le.PutUint32(a.mem[anchorNameLen:], uint32(len(name)))
	copy(a.mem[anchorName:], name)
	region.At[atomic.Uint64](a.mem, 0).Store(binary.NativeEndian.Uint64(anchorMagic[:]))
}

// readAnchor checks an anchor's bytes. It returns nil if there is none.
func readAnchor(mem []byte, name string) (*anchor, error) {
	if len(mem) < anchorBytes(1) {
		return nil, nil
	}
	var head [anchorCurrent]byte
	copy(head[:], mem)
	switch le := binary.LittleEndian; {
	case bytes.Equal(head[:8], make([]byte, 8)):
		return nil, nil
	case !bytes.Equal(head[:7], anchorMagic[:7]):
		return nil, fmt.Errorf("%w: its file begins with %q and is none of a section", partywall.ErrProtocol, head[:8])
	case head[7] != anchorMagic[7], le.Uint32(head[anchorVersion:]) != LayoutVersion:
		return nil, fmt.Errorf("%w: it has layout %d, this program knows %d", partywall.ErrVersion, le.Uint32(head[anchorVersion:]), LayoutVersion)
	default:
		entries, n := le.Uint32(head[anchorEntries:]), le.Uint32(head[anchorNameLen:])
		if entries == 0 || entries > Participants || anchorBytes(int(entries)) > len(mem) {
			return nil, fmt.Errorf("%w: its anchor of %d bytes says that it has %d entries", partywall.ErrProtocol, len(mem), entries)
		}
		if n > partywall.MaxName || string(head[anchorName:anchorName+n]) != name {
			return nil, fmt.Errorf("%w: its anchor has another name", partywall.ErrProtocol)
		}
		return newAnchor(mem, int(entries)), nil
	}
}

// Offsets in a region.
const (
	regionVersion    = 8
	regionForm       = 12
	regionGeneration = 16
	regionCapacity   = 24
	regionStride     = 32
	regionCells      = 40
	regionSchemaLen  = 44
	regionFirst      = 48
	regionSize       = 56
	regionSwitch     = 128
	regionLock       = 136
	regionSchema     = 256
)

const (
	cellAlign   = 64   // a cell begins on a cache line
	largeAlign  = 4096 // a large one on a page
	lengthBytes = 8    // before the bytes of a value that has no fixed length

	// smallCell is the largest cell that is read without pins.
	smallCell = 64 << 10

	smallCells = 4
	largeCells = 3

	// maxCell bounds what a region's header may say, so that all cells together are fewer bytes than an int
	// can count, also on 32-bit systems.
	maxCell = min(1<<30+largeAlign, math.MaxInt/smallCells-maxSchema)
)

// A geometry is what a region's header says of its memory.
type geometry struct {
	form       formKind
	generation uint64
	capacity   int // bytes of a value at most
	stride     int // from cell to cell
	cells      int
	schemaLen  int
	first      int // where the cells begin
	size       int
}

// newGeometry lays out a region.
func newGeometry(form formKind, generation uint64, capacity, schemaLen int) geometry {
	g := geometry{form: form, generation: generation, capacity: capacity, schemaLen: schemaLen, cells: smallCells}
	align := cellAlign
	g.stride = g.content() + capacity
	if g.stride > smallCell {
		g.cells, align = largeCells, largeAlign
	}
	g.stride = max(roundUp(g.stride, align), align)
	g.first = roundUp(regionSchema+schemaLen, align)
	g.size = g.first + g.cells*g.stride
	return g
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// content is where the value begins in a cell.
func (g *geometry) content() int {
	if g.form == fixedForm {
		return 0
	}
	return lengthBytes
}

// large reports whether cells are read with pins.
func (g *geometry) large() bool { return g.cells == largeCells }

// write writes the header of a region.
func (g *geometry) write(mem, schema []byte) {
	le := binary.LittleEndian
	copy(mem, regionMagic[:])
	le.PutUint32(mem[regionVersion:], LayoutVersion)
	le.PutUint32(mem[regionForm:], uint32(g.form))
	le.PutUint64(mem[regionGeneration:], g.generation)
	le.PutUint64(mem[regionCapacity:], uint64(g.capacity))
	le.PutUint64(mem[regionStride:], uint64(g.stride))
	le.PutUint32(mem[regionCells:], uint32(g.cells))
	le.PutUint32(mem[regionSchemaLen:], uint32(g.schemaLen))
	le.PutUint64(mem[regionFirst:], uint64(g.first))
	le.PutUint64(mem[regionSize:], uint64(g.size))
	copy(mem[regionSchema:], schema)
}

// readGeometry reads and checks a region's header, and copies its schema out.
func readGeometry(mem []byte, generation uint64) (g geometry, schema []byte, err error) {
	if len(mem) < regionSchema {
		return g, nil, fmt.Errorf("%w: its region has %d bytes", partywall.ErrProtocol, len(mem))
	}
	var head [regionSwitch]byte
	copy(head[:], mem)
	le := binary.LittleEndian
	switch {
	case !bytes.Equal(head[:7], regionMagic[:7]):
		return g, nil, fmt.Errorf("%w: its region begins with %q", partywall.ErrProtocol, head[:8])
	case head[7] != regionMagic[7], le.Uint32(head[regionVersion:]) != LayoutVersion:
		return g, nil, fmt.Errorf("%w: its region has layout %d, this program knows %d", partywall.ErrVersion, le.Uint32(head[regionVersion:]), LayoutVersion)
	}
	form, capacity, length := formKind(le.Uint32(head[regionForm:])), le.Uint64(head[regionCapacity:]), le.Uint32(head[regionSchemaLen:])
	if form < fixedForm || form > documentForm || capacity > maxCell || length > maxSchema {
		return g, nil, fmt.Errorf("%w: its region has form %d, room for %d bytes, a schema of %d bytes", partywall.ErrProtocol, form, capacity, length)
	}
	// All else follows from these.
	g = newGeometry(form, generation, int(capacity), int(length))
	var want [regionSwitch + regionSchema]byte
	g.write(want[:], nil)
	if !bytes.Equal(head[:], want[:regionSwitch]) || g.size > len(mem) {
		return g, nil, fmt.Errorf("%w: the header of its region, generation %d, contradicts itself", partywall.ErrProtocol, generation)
	}
	return g, bytes.Clone(mem[regionSchema : regionSchema+g.schemaLen]), nil
}
