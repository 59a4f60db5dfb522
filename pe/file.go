package pe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// A File is a PE file, or an image that is loaded. Its fields are what its headers
// say. Its methods may be called concurrently, as long as nobody changes the fields;
// those who change them, as for writing a new file, change nothing in the file.
type File struct {
	// Size is the size of the file in bytes; that of a loaded image is the size of
	// its memory.
	Size int64

	// The COFF file header.
	Machine              Machine
	Timestamp            uint32 // TimeDateStamp: seconds since 1970, or a hash
	PointerToSymbolTable uint32 // file offset, 0 if there is none
	NumberOfSymbols      uint32
	Characteristics      uint16

	// Optional is the optional header, which every image has.
	Optional Optional

	// Directories are the data directories that the file has, at most 16. Their
	// indexes are [DirExport] and the following. See [File.Directory].
	Directories []Directory

	// Sections are the sections in the order of the table.
	Sections []Section

	// Offsets says where in the file the headers are.
	Offsets Offsets

	// Mapped: this is a loaded image, where offsets are addresses relative to its
	// beginning. See [Loaded].
	Mapped bool

	r        io.ReaderAt
	closer   io.Closer // nil if the reader is not ours
	spans    []span
	warnings []string
	omitted  int // warnings
}

// Offsets are the offsets of a file's headers in bytes, for those who patch it.
type Offsets struct {
	PE           int64 // the signature "PE\0\0"
	COFF         int64 // the COFF file header, 20 bytes
	Optional     int64 // the optional header, SizeOfOptionalHeader bytes
	CheckSum     int64 // the field of the optional header, 4 bytes
	Directories  int64 // the data directories, 8 bytes each
	SectionTable int64 // the section headers, 40 bytes each
}

// Open opens a file and reads its headers. The file stays open until
// [File.Close].
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := open(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.closer = file
	return f, nil
}

func open(file *os.File) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is no regular file", ErrFormat)
	}
	return New(file, info.Size())
}

// New reads the headers of a file of so many bytes from r. It calls ReadAt once for
// most files, for at most 64 KiB at a time, and keeps r for the methods of the File.
func New(r io.ReaderAt, size int64) (*File, error) {
	return parse(r, size, false)
}

// Close closes what [Open] opened; the methods that read the file fail from then on. A File
// of [New] or [Loaded] has nothing to close. It is idempotent.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	if err := f.closer.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Section returns the first section of that name, which is case-sensitive, or nil if
// there is none.
func (f *File) Section(name string) *Section {
	i := slices.IndexFunc(f.Sections, func(s Section) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &f.Sections[i]
}

// Directory returns a data directory, or the zero Directory if the file does not have
// so many.
func (f *File) Directory(index int) Directory {
	if index < 0 || index >= len(f.Directories) {
		return Directory{}
	}
	return f.Directories[index]
}

// Data returns the raw data of a section: the bytes from RawOffset on that the file
// has, which may be fewer than RawSize, and none if RawOffset is 0. In a loaded image
// it is the section's memory.
//
// A loader takes the data from a multiple of 512 bytes on, see [File.ReadRVA].
func (f *File) Data(s *Section) *io.SectionReader {
	off, size := f.raw(s)
	return io.NewSectionReader(f.r, off, size)
}

// raw returns the part of the file that is a section's data.
func (f *File) raw(s *Section) (off, size int64) {
	off, size = int64(s.RawOffset), int64(s.RawSize)
	switch {
	case f.Mapped:
		off, size = int64(s.VirtualAddress), int64(s.virtualSize())
	case off == 0:
		return 0, 0
	}
	if off >= f.Size {
		return f.Size, 0
	}
	return off, min(size, f.Size-off)
}

// Warnings returns what is strange about the headers, in words for people. A loader
// refuses many such files. There are at most 33.
func (f *File) Warnings() []string {
	warnings := slices.Clone(f.warnings)
	if f.omitted > 0 {
		warnings = append(warnings, fmt.Sprintf("%d more", f.omitted))
	}
	return warnings
}

func (f *File) warn(format string, args ...any) {
	if len(f.warnings) == maxWarnings {
		f.omitted++
		return
	}
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}
