package pe

import (
	"bytes"
	stdpe "debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A drawn file, and what was drawn for it.
type drawnFile struct {
	sketch
	bytes []byte
	first int64 // where raw data begins, or the headers end
}

// drawFile draws a file with any number of sections, symbols, bound imports, a signature,
// and something behind all that.
func drawFile(t *rapid.T) drawnFile {
	k := plain()
	k.pe32 = rapid.Bool().Draw(t, "pe32")
	k.directories, k.contents = map[int]Directory{}, nil
	k.lfanew = 8 * rapid.IntRange(8, 40).Draw(t, "lfanew/8")
	k.fileAlign = 1 << rapid.IntRange(9, 12).Draw(t, "file alignment")
	k.sectionAlign = 1 << rapid.IntRange(12, 16).Draw(t, "section alignment")
	n := rapid.IntRange(0, 20).Draw(t, "sections")
	if n > 15 {
		n += 75
	}
	size := uint32(24 + sizePlus + 128)
	if k.pe32 {
		size -= 16
	}
	table := uint32(k.lfanew) + size
	spare := rapid.Uint32Range(0, 100).Draw(t, "spare")
	k.headers = uint32(roundUp(uint64(table+uint32(n)*40+spare), uint64(k.fileAlign)))
	off, place := k.headers, uint32(roundUp(uint64(k.headers), uint64(k.sectionAlign)))
	first := int64(k.headers)
	k.sections = nil
	for i := range n {
		s := Section{
			Name:           fmt.Sprint("s", i),
			VirtualAddress: place,
			VirtualSize:    rapid.Uint32Range(0, 3*pageSize).Draw(t, "virtual size"),
			RawSize:        k.fileAlign * rapid.Uint32Range(0, 3).Draw(t, "raw size"),
			Flags:          Initialised | Read | SectionFlags(rapid.SampledFrom([]SectionFlags{0, Write, Execute | Code}).Draw(t, "flags")),
		}
		if s.RawSize > 0 {
			s.RawOffset = off
		}
		off += s.RawSize
		place += uint32(roundUp(uint64(s.virtualSize()), uint64(k.sectionAlign)))
		k.sections = append(k.sections, s)
	}
	k.sizeOfImage = place
	noise := rapid.SliceOfN(rapid.Byte(), 32, 64)
	k.put(int(k.headers), string(bytes.Repeat(noise.Draw(t, "noise"), int(off-k.headers)/64)))
	k.size = int(off)
	if rapid.Bool().Draw(t, "symbols") {
		k.symbols, k.nSymbols = off, 2
		k.put(k.size, string(make([]byte, 2*18))+"\x0c\x00\x00\x00strings\x00")
		k.size += 2*18 + 12
	}
	if rapid.Bool().Draw(t, "bound") {
		k.directories[DirBoundImport] = Directory{table + uint32(n)*40, 16}
		if k.headers-table-uint32(n)*40 >= 16 {
			k.put(int(table)+n*40, "bound imports...")
		}
	}
	overlay := noise.Draw(t, "overlay")
	k.put(k.size, string(overlay))
	k.size += len(overlay)
	if rapid.Bool().Draw(t, "signed") {
		k.size = (k.size + 7) &^ 7
		k.directories[DirSecurity] = Directory{uint32(k.size), 16}
		k.put(k.size, "certificates....")
		k.size += 16
	}
	return drawnFile{sketch: k, bytes: k.draw(), first: first}
}

func TestPatchProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawFile(t)
		f := parsed(t, d.bytes)
		s := NewSection{
			Name: rapid.StringMatching(`[A-Za-z.$_][A-Za-z0-9.$_]{0,6}!`).Draw(t, "name"),
			Size: rapid.Int64Range(1, 20000).Draw(t, "size"),
		}
		s.Init = rapid.SliceOfN(rapid.Byte(), 0, int(min(s.Size, 50))).Draw(t, "init")
		p, err := f.AddSection(s, PatchOptions{StripSignature: true})
		end := f.Offsets.SectionTable + int64(len(f.Sections))*40
		if tooMany, noRoom := len(f.Sections) >= 96, end+40 > d.first; tooMany || noRoom {
			if err == nil || noRoom && !tooMany && !errors.Is(err, ErrNoRoom) {
				t.Fatalf("%d sections, table ends at %#x, data begins at %#x: %v", len(f.Sections), end, d.first, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		old, b := d.bytes, written(t, p)
		m := added(f)
		if f.Directory(DirSecurity).Size != 0 {
			m[f.Offsets.Directories+4*8] = 8
			old = old[:len(old)-16]
		}
		sameBut(t, old, b, m)
		checkAdded(t, f, old, b, s)

		// Any section shared and unshared, in the result.
		g := parsed(t, b)
		i := rapid.IntRange(0, len(g.Sections)-1).Draw(t, "section")
		flags := rapid.SampledFrom([]SectionFlags{Read, Read | Write, Read | Write | Shared, Read | Execute | Shared, 0}).Draw(t, "flags")
		p, err = g.SetFlags(g.Sections[i].Name, flags, PatchOptions{})
		if err != nil {
			if !errors.Is(err, ErrUnshareable) || !flags.Has(Shared) {
				t.Fatal(err)
			}
			return
		}
		changed := written(t, p)
		at := g.Offsets.SectionTable + int64(i)*40 + 36
		sameBut(t, b, changed, fields{at: 4, g.Offsets.PE + 24 + 64: 4})
		want := uint32(g.Sections[i].Flags)&0x01ffffff | uint32(flags)
		if flags.Has(Shared) {
			want |= 0x40
		}
		if got := binary.LittleEndian.Uint32(changed[at:]); got != want {
			t.Fatalf("flags %#x, want %#x", got, want)
		}
	})
}

// checkAdded reads a file with a new section as the standard library does.
func checkAdded(t *rapid.T, f *File, old, b []byte, s NewSection) {
	was, err := stdpe.NewFile(bytes.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	is, err := stdpe.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	headers := func(f *stdpe.File) (all []stdpe.SectionHeader) {
		for _, s := range f.Sections {
			all = append(all, s.SectionHeader)
		}
		return all
	}
	all := headers(is)
	h := all[len(all)-1]
	if diff := cmp.Diff(append(headers(was), h), all); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(was.COFFSymbols, is.COFFSymbols); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(was.StringTable, is.StringTable); diff != "" {
		t.Fatal(diff)
	}
	if h.Name != s.Name || int64(h.VirtualSize) != s.Size || h.Characteristics != 0xD0000040 {
		t.Fatalf("%+v", h)
	}
	unit, sector := f.Optional.SectionAlignment, f.Optional.FileAlignment
	if h.Size == 0 || h.Size%sector != 0 || h.Offset%sector != 0 || h.VirtualAddress%unit != 0 || h.Size < h.VirtualSize ||
		int(h.Offset) < len(old) || int(h.Offset+h.Size) != len(b) {
		t.Fatalf("%+v in a file of %d bytes", h, len(b))
	}
	for _, other := range was.Sections {
		size := other.VirtualSize
		if size == 0 {
			size = other.Size
		}
		if other.VirtualAddress+size > h.VirtualAddress {
			t.Fatalf("%+v overlaps %+v", h, other.SectionHeader)
		}
	}
	g := parsed(t, b)
	if got, want := g.Optional.SizeOfImage, h.VirtualAddress+uint32(roundUp(uint64(h.VirtualSize), uint64(unit))); got != want {
		t.Fatalf("SizeOfImage %#x, want %#x", got, want)
	}
	if g.Optional.CheckSum != checksumOf(b, g.Optional.CheckSum) {
		t.Fatal("not the checksum")
	}
	data, err := is.Sections[len(all)-1].Data()
	if err != nil || !bytes.HasPrefix(data, s.Init) || len(bytes.Trim(data[len(s.Init):], "\x00")) != 0 {
		t.Fatalf("%q, %v", data, err)
	}
	if len(bytes.Trim(b[len(old):h.Offset], "\x00")) != 0 {
		t.Fatal("there is something before the new data")
	}
	if d := g.Directory(DirBoundImport); d != (Directory{}) {
		t.Fatal("bound imports are left")
	}
}
