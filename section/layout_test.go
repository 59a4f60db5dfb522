package section

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/partywall/partywall/internal/fixed"
)

// The numbers of docs/LAYOUT.md, "A section", written out.
func TestLayout(t *testing.T) {
	for what, is := range map[string][2]int{
		"anchor: version":       {anchorVersion, 8},
		"anchor: entries":       {anchorEntries, 12},
		"anchor: flags":         {anchorFlags, 16},
		"anchor: name length":   {anchorNameLen, 20},
		"anchor: name":          {anchorName, 24},
		"anchor: current":       {anchorCurrent, 128},
		"anchor: builder":       {anchorBuilder, 136},
		"anchor: holder":        {anchorHolder, 144},
		"anchor: nonce":         {anchorNonce, 152},
		"anchor: bell":          {anchorBell, 256},
		"anchor: sleepers":      {anchorSleepers, 260},
		"anchor: table":         {anchorTable, 384},
		"entry":                 {entrySize, 32},
		"entry: size":           {entryBytes, 32},
		"entry: who":            {entryWho, 0},
		"entry: pins":           {entryPins, 8},
		"entry: since":          {entrySince, 16},
		"entry: watchers":       {entryWatchers, 24},
		"entry: role":           {entryRole, 28},
		"region: version":       {regionVersion, 8},
		"region: form":          {regionForm, 12},
		"region: generation":    {regionGeneration, 16},
		"region: capacity":      {regionCapacity, 24},
		"region: stride":        {regionStride, 32},
		"region: cells":         {regionCells, 40},
		"region: schema length": {regionSchemaLen, 44},
		"region: first":         {regionFirst, 48},
		"region: size":          {regionSize, 56},
		"region: switch":        {regionSwitch, 128},
		"region: lock":          {regionLock, 136},
		"region: schema":        {regionSchema, 256},
		"participants":          {Participants, 1024},
	} {
		if is[0] != is[1] {
			t.Errorf("%s is at %d, and documented at %d", what, is[0], is[1])
		}
	}
	if s := newSwitch(5, 3); s != 5<<4|3 || s.version() != 5 || s.cell() != 3 || s.moved() || !(s | 1<<3).moved() {
		t.Errorf("switch word %#x", s)
	}
	l := lockWord(7<<16 | 9<<2).next(1023)
	if l != 8<<16|1023<<2|1 || !l.held() || l.commit() || l.owner() != 1023 || !(l | 2).commit() || l.free() != 8<<16|1023<<2 {
		t.Errorf("lock word %#x", l)
	}
}

func TestGeometry(t *testing.T) {
	for _, test := range []struct {
		form             formKind
		capacity, schema int
		cells, stride    int
		first            int
	}{
		{fixedForm, 0, 16, 4, 64, 320},
		{fixedForm, 4, 27, 4, 64, 320},
		{fixedForm, 64, 64, 4, 64, 320},
		{fixedForm, 65, 65, 4, 128, 384},
		{fixedForm, 65536, 0, 4, 65536, 256},
		{fixedForm, 65537, 0, 3, 69632, 4096},
		{bytesForm, 65528, 4, 4, 65536, 320},
		{bytesForm, 65529, 4, 3, 69632, 4096},
		{documentForm, 100, 5000, 4, 128, 5312},
		{fixedForm, 256 << 20, 27, 3, 256 << 20, 4096},
	} {
		g := newGeometry(test.form, 1, test.capacity, test.schema)
		if g.cells != test.cells || g.stride != test.stride || g.first != test.first || g.size != g.first+g.cells*g.stride {
			t.Errorf("%+v: %+v", test, g)
		}
	}
}

// Whatever a header may say, its region has a size that an int can count.
func TestLargestGeometry(t *testing.T) {
	for _, kind := range []formKind{fixedForm, bytesForm, documentForm} {
		g := newGeometry(kind, 1, maxCell, maxSchema)
		if g.stride < maxCell || g.size < g.first || g.size-g.first != g.cells*g.stride || g.size < g.cells*(g.stride/2) {
			t.Errorf("%+v", g)
		}
	}
}

// FuzzAnchor reads any bytes as an anchor.
func FuzzAnchor(f *testing.F) {
	mem := make([]byte, anchorBytes(8))
	newAnchor(mem, 8).write("plant/line1")
	f.Add(bytes.Clone(mem))
	f.Add(mem[:100])
	f.Add(make([]byte, 1000))
	f.Fuzz(func(t *testing.T, b []byte) {
		mem := newMemory(len(b))
		copy(mem, b)
		a, err := readAnchor(mem, "plant/line1")
		if err != nil || a == nil {
			return
		}
		for i := range a.entries {
			a.entry(i).pins.Load()
		}
		if string(mem[anchorName:anchorName+len("plant/line1")]) != "plant/line1" {
			t.Error("an anchor of another name")
		}
	})
}

// FuzzRegion reads any bytes as a region.
func FuzzRegion(f *testing.F) {
	typ, err := fixed.Of[struct {
		A uint32
		B [3]float64
	}]()
	if err != nil {
		f.Fatal(err)
	}
	schema, err := typ.Schema().MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	for _, form := range []struct {
		kind     formKind
		capacity int
		schema   []byte
	}{{fixedForm, typ.Size(), schema}, {bytesForm, 100, bytesSchema}, {documentForm, 100, []byte("pwd\x01")}} {
		g := newGeometry(form.kind, 3, form.capacity, len(form.schema))
		mem := make([]byte, g.size)
		g.write(mem, form.schema)
		f.Add(mem)
		binary.LittleEndian.PutUint32(mem[regionSchemaLen:], 1<<31)
		f.Add(mem)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		mem := newMemory(len(b))
		copy(mem, b)
		g, schema, err := readGeometry(mem, 3)
		if err != nil {
			return
		}
		form, err := parseForm(g, schema)
		if err != nil {
			return
		}
		a := newAttachment(borrowed(mem), g, form)
		for i := range g.cells {
			cell := a.cell(i)
			if form.kind != fixedForm {
				if body, err := a.body(cell); err == nil && len(body) > g.capacity {
					t.Errorf("%d bytes in room for %d", len(body), g.capacity)
				}
			}
		}
	})
}
