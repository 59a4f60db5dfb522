package pe

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var updateSeeds = flag.Bool("update-seeds", false, "write the seeds of FuzzOpen to testdata/fuzz")

const seeds = "testdata/fuzz/FuzzOpen"

// TestPlainFile compares the file of the examples with the plain one that it is.
func TestPlainFile(t *testing.T) {
	const path = "testdata/plain.dll"
	s := plain()
	if *updateSeeds {
		if err := os.WriteFile(path, s.draw(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, s.draw()) {
		t.Errorf("%s is not the plain file: %v; go test -run TestPlainFile -update-seeds writes it", path, err)
	}
}

// TestSeeds compares the seeds of FuzzOpen with the strange files that they are.
func TestSeeds(t *testing.T) {
	for _, s := range strangeFiles() {
		if s.large {
			continue
		}
		path := filepath.Join(seeds, "strange-"+s.name)
		want := fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", s.draw())
		if *updateSeeds {
			if err := errors.Join(os.MkdirAll(seeds, 0o755), os.WriteFile(path, want, 0o644)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the strange file of that name: %v; go test -run TestSeeds -update-seeds writes it", path, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := New(bytes.NewReader(b), int64(len(b)))
		exercise(t, b, file, err)
		file, err = parse(bytes.NewReader(b), int64(len(b)), true)
		exercise(t, b, file, err)
	})
}

// exercise calls every method of a file, and checks what must be true of any.
func exercise(t *testing.T, b []byte, f *File, err error) {
	if err != nil {
		if !errors.Is(err, ErrFormat) || f != nil {
			t.Errorf("%v: %v", f, err)
		}
		return
	}
	if int64(len(f.Sections))*sectionHeaderSize > f.Size && !f.Mapped || len(f.Directories) > maxDirectories || len(f.Warnings()) > maxWarnings+1 {
		t.Errorf("%d sections, %d directories, %d warnings of %d bytes", len(f.Sections), len(f.Directories), len(f.Warnings()), len(b))
	}
	exerciseSections(t, f)
	exerciseTables(t, f)
	if off, size := f.Overlay(); off < 0 || size < 0 || off+size != f.Size {
		t.Errorf("overlay of %d bytes at %d", size, off)
	}
	if off, size, ok := f.Signature(); ok && (off <= 0 || size <= 0 || off+size > f.Size) {
		t.Errorf("signature of %d bytes at %d", size, off)
	}
	sum, err := f.ComputeChecksum()
	if f.Mapped {
		if err == nil {
			t.Error("a checksum of a loaded image")
		}
		return
	}
	if want := checksumOf(b, f.Optional.CheckSum); err != nil || sum != want {
		t.Errorf("checksum %#x, not %#x, %v", sum, want, err)
	}
}

func exerciseSections(t *testing.T, f *File) {
	end := uint64(0)
	for _, s := range f.spans {
		if s.start < end || s.end <= s.start || s.data < 0 {
			t.Errorf("%+v behind an end at %#x", s, end)
		}
		end = s.end
	}
	buf := make([]byte, 100)
	for i := range f.Sections {
		s := &f.Sections[i]
		if got := f.Section(s.Name); got == nil || got.Name != s.Name {
			t.Errorf("no section %q", s.Name)
		}
		if _, err := ParseFlags(s.Flags.String()); err != nil {
			t.Error(err)
		}
		data := f.Data(s)
		if data.Size() > f.Size {
			t.Errorf("section %d has %d bytes of data", i, data.Size())
		}
		if n, err := data.ReadAt(buf[:min(data.Size(), 100)], 0); err != nil && !errors.Is(err, io.EOF) {
			t.Errorf("section %d: %d bytes of data, %v", i, n, err)
		}
		if n, err := f.ReadRVA(buf, s.VirtualAddress); err != nil && !errors.Is(err, ErrUnmapped) || (n < len(buf)) != (err != nil) {
			t.Errorf("section %d: %d bytes, %v", i, n, err)
		}
	}
	_, _ = f.ReadRVA(buf, 0)
	_, _ = f.ReadRVA(buf, 0xFFFFFFFF)
	_ = f.Machine.String()
}

func exerciseTables(t *testing.T, f *File) {
	exports, err := f.Exports()
	if (exports == nil) != (err != nil) {
		t.Errorf("%v: %v", exports, err)
	}
	wantFormat(t, err)
	_, err = f.Imports()
	wantFormat(t, err)
	for _, err := range f.Relocations() {
		wantFormat(t, err)
	}
	for range f.Relocations() {
		break
	}
}

func wantFormat(t *testing.T, err error) {
	if err != nil && !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

// checksumOf computes a checksum the slow way.
func checksumOf(b []byte, field uint32) uint32 {
	sum := uint32(0)
	for i, c := range b {
		sum += uint32(c) << (i % 2 * 8)
		sum = sum>>16 + sum&0xFFFF
	}
	for _, word := range []uint32{field & 0xFFFF, field >> 16} {
		borrow := uint32(0)
		if sum < word {
			borrow = 1
		}
		sum = (sum - word - borrow) & 0xFFFF
	}
	return sum + uint32(len(b))
}
