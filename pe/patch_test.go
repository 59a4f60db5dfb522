package pe

import (
	"bytes"
	stdpe "debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// roomy is a plain file with room in the headers, two sections that can be shared, and
// something behind the last of them.
func roomy() sketch {
	k := plain()
	k.headers, k.size, k.sizeOfImage = 0x400, 0x1010, 0x5000
	k.words16(relocRVA+18, 0) // the one that reaches into the next page
	for i := range k.sections {
		k.sections[i].RawOffset += 0x200
	}
	for i := range k.contents {
		k.contents[i].off += 0x200
	}
	k.sections = append(k.sections,
		Section{Name: "SectionA", VirtualSize: 4, VirtualAddress: 0x3000, RawSize: 0x200, RawOffset: 0xa00, Flags: Initialised | Read | Write},
		Section{Name: "SectionB", VirtualSize: 4, VirtualAddress: 0x4000, RawSize: 0x200, RawOffset: 0xc00, Flags: Initialised | Read | Write},
	)
	k.put(0xe00, strings.Repeat("overlay ", 66))
	return k
}

func parsed(t rapid.TB, b []byte) *File {
	t.Helper()
	f, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func written(t rapid.TB, p *Patch) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := p.WriteTo(&b); err != nil || n != p.Size() || n != int64(b.Len()) {
		t.Fatalf("wrote %d bytes of %d: %v", n, p.Size(), err)
	}
	return b.Bytes()
}

// fields are the bytes of a file that a patch may change: first bytes and sizes.
type fields map[int64]int

// added are the fields that AddSection changes.
func added(f *File) fields {
	coff, optional := f.Offsets.PE+4, f.Offsets.PE+24
	m := fields{coff + 2: 2, optional + 8: 4, optional + 56: 4, optional + 64: 4, f.Offsets.SectionTable + int64(len(f.Sections))*40: 40}
	if len(f.Directories) > 11 {
		m[f.Offsets.Directories+11*8] = 8
	}
	return m
}

// sameBut fails if bytes differ that are in none of the fields.
func sameBut(t rapid.TB, old, patched []byte, m fields) {
	t.Helper()
	if len(patched) < len(old) {
		t.Fatalf("%d bytes are left of %d", len(patched), len(old))
	}
	was, is := bytes.Clone(old), bytes.Clone(patched[:len(old)])
	for off, n := range m {
		clear(was[off : off+int64(n)])
		clear(is[off : off+int64(n)])
	}
	if !bytes.Equal(was, is) {
		i := 0
		for was[i] == is[i] {
			i++
		}
		t.Fatalf("the byte at offset %#x was %#x and is %#x", i, was[i], is[i])
	}
}

func TestAddSection(t *testing.T) {
	for _, pe32 := range []bool{false, true} {
		k := roomy()
		k.pe32 = pe32
		k.directories[DirBoundImport] = Directory{0x300, 0x20}
		old := k.draw()
		f := parsed(t, old)
		p, err := f.AddSection(NewSection{Name: "Counter", Size: 0x1001, Init: []byte("begin")}, PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b := written(t, p)
		sameBut(t, old, b, added(f))
		want := Section{
			Name: "Counter", VirtualSize: 0x1001, VirtualAddress: 0x5000, RawSize: 0x1200, RawOffset: 0x1200,
			Flags: 0xD0000040,
		}
		g := parsed(t, b)
		if diff := cmp.Diff(append(slices.Clone(f.Sections), want), g.Sections); diff != "" {
			t.Error(diff)
		}
		if len(b) != 0x2400 || g.Optional.SizeOfImage != 0x7000 || g.Optional.SizeOfInitializedData != 0x1200 {
			t.Errorf("%#x bytes, image of %#x, data of %#x", len(b), g.Optional.SizeOfImage, g.Optional.SizeOfInitializedData)
		}
		if d := g.Directory(DirBoundImport); d != (Directory{}) {
			t.Errorf("bound imports are left: %+v", d)
		}
		if tail := b[len(old):]; !bytes.Equal(bytes.Trim(tail, "\x00"), []byte("begin")) || !bytes.HasPrefix(b[0x1200:], []byte("begin")) {
			t.Error("not the initial bytes")
		}
		if want := checksumOf(b, g.Optional.CheckSum); g.Optional.CheckSum != want {
			t.Errorf("checksum %#x, want %#x", g.Optional.CheckSum, want)
		}
		if w := g.Warnings(); len(w) != len(f.Warnings()) {
			t.Errorf("%q", w)
		}
		// Its own section can be unshared and shared again.
		for _, flags := range []SectionFlags{Read | Write, Read | Write | Shared} {
			p, err := g.SetFlags("Counter", flags, PatchOptions{})
			if err != nil {
				t.Fatal(err)
			}
			g = parsed(t, written(t, p))
		}
		if again := written(t, p); !bytes.Equal(again, b) {
			t.Error("unshared and shared again it is another file")
		}
		if _, err := g.AddSection(NewSection{Name: "Counter", Size: 1}, PatchOptions{}); !errors.Is(err, ErrSectionName) {
			t.Errorf("added twice: %v", err)
		}
	}
}

func TestSetFlags(t *testing.T) {
	k := roomy()
	k.sections[2].Flags &^= Initialised
	old := k.draw()
	f := parsed(t, old)
	p, err := f.SetFlags("SectionA", Read|Write|Shared|Code|Uninitialised, PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := written(t, p)
	at := f.Offsets.SectionTable + 2*40 + 36
	sameBut(t, old, b, fields{at: 4, f.Offsets.PE + 24 + 64: 4})
	if got := binary.LittleEndian.Uint32(b[at:]); got != 0xD0000040 || len(b) != len(old) {
		t.Errorf("flags %#x, %d bytes", got, len(b))
	}
	if f, err := stdpe.NewFile(bytes.NewReader(b)); err != nil || f.Section("SectionA").Characteristics != 0xD0000040 {
		t.Error(err)
	}
	// A patch can be patched, and the same again changes nothing.
	g, err := New(p, p.Size())
	if err != nil {
		t.Fatal(err)
	}
	p, err = g.SetFlags("SectionB", Read|Write|Shared, PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	both := written(t, p)
	p, err = parsed(t, both).SetFlags("SectionA", Read|Write|Shared, PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if again := written(t, p); !bytes.Equal(again, both) {
		t.Error("the same flags again are another file")
	}
	for _, s := range parsed(t, both).Sections[2:] {
		if s.Flags.String() != "rws" {
			t.Errorf("%s has %s", s.Name, s.Flags)
		}
	}
}

// Where the words add up to zero, there are two sums for it; the one that is written is the
// one that is computed again.
func TestPatchChecksumZero(t *testing.T) {
	k := roomy()
	k.put(0x1000, "\x00\x00")
	patch := func() *File {
		p, err := parsed(t, k.draw()).SetFlags("SectionA", Read|Write|Shared, PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return parsed(t, written(t, p))
	}
	folded := patch().Optional.CheckSum - uint32(k.size)
	k.put(0x1000, string(binary.LittleEndian.AppendUint16(nil, 0xFFFF-uint16(folded))))
	f := patch()
	sum, err := f.ComputeChecksum()
	if err != nil || sum != f.Optional.CheckSum || sum != uint32(k.size) {
		t.Errorf("%#x is written, %#x computed, %v", f.Optional.CheckSum, sum, err)
	}
}

func ExampleFile_AddSection() {
	var file bytes.Buffer
	d := DLL{Name: "a.dll", Vars: []Var{{Section: "Mine", Name: "x", Type: Int32, Private: true}}}
	if _, err := d.WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}
	f, err := New(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := f.AddSection(NewSection{Name: "Counter", Size: 4096}, PatchOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	changed, err := New(p, p.Size())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range changed.Sections {
		fmt.Printf("%-8s %s\n", s.Name, s.Flags)
	}
	// Output:
	// Mine     rw
	// .edata   r
	// Counter  rws
}
