package pe

import (
	"errors"
	"fmt"
	"io"
)

// A Patch is a changed PE file that is not written yet: the old file, and what is
// different. It holds the differences only, however large the file is, and reads the rest
// from the old file, which must stay open and as it is until the Patch is written.
//
//	f, err := pe.Open("program.exe")
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	p, err := f.AddSection(pe.NewSection{Name: "Counter", Size: 4096}, pe.PatchOptions{})
//	if err != nil {
//		return err
//	}
//	_, err = p.WriteTo(w)
//
// [AddSection] and [SetFlags] do that with paths, and replace a file safely. To change
// more at once, read a Patch with [New]; it is an [io.ReaderAt].
//
// What a Patch does not change is, byte for byte and at its old offset, what the old file
// has. The checksum in the headers is always computed anew.
//
// Its methods may be called concurrently.
type Patch struct {
	r     io.ReaderAt
	keep  int64 // so many bytes of the old file, and zeros behind them
	size  int64
	edits []edit
}

// An edit lies over what else is at its offset. Later ones lie over earlier ones.
type edit struct {
	off  int64
	data []byte
}

// PatchOptions allow what is refused otherwise.
type PatchOptions struct {
	// StripSignature removes the signature of a signed file. Every change makes it
	// invalid. The result can be signed again; a file that was linked with
	// /INTEGRITYCHECK is not loaded by Windows until it is.
	StripSignature bool

	// Force shares a section although it seems to hold what differs between
	// processes: its name is one that linkers use themselves, the loader writes
	// addresses into it, or not all of its data is in the file. It does not make
	// this safe: a program that follows another process's pointers crashes.
	Force bool
}

var (
	// ErrSigned: the file has a signature, which any change makes invalid. See
	// [PatchOptions].
	ErrSigned = errors.New("pe: the file is signed")

	// ErrNoRoom: there is no room in the headers for one more section.
	ErrNoRoom = errors.New("pe: no room for a section header")

	// ErrSectionName: a new section cannot have this name, or it does not say which
	// section is meant. The text says why.
	ErrSectionName = errors.New("pe: section name")

	// ErrNoSection: the file has no section of this name.
	ErrNoSection = errors.New("pe: no such section")

	// ErrUnshareable: what is in the section must not be shared between processes, or
	// cannot be. The text says what it is.
	ErrUnshareable = errors.New("pe: section cannot be shared")
)

// Size returns the size of the changed file in bytes.
func (p *Patch) Size() int64 { return p.size }

// ReadAt reads from the changed file, as [io.ReaderAt] asks.
func (p *Patch) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("pe: read at the negative offset %d", off)
	}
	n := int(min(int64(len(b)), max(0, p.size-off)))
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	got, err := p.readOld(b[:n], off)
	for _, e := range p.edits {
		e.over(b[:got], off)
	}
	if err == nil && n < len(b) {
		err = io.EOF
	}
	return got, err
}

// readOld reads what is below the edits.
func (p *Patch) readOld(b []byte, off int64) (int, error) {
	old := int(min(int64(len(b)), max(0, p.keep-off)))
	if old > 0 {
		n, err := p.r.ReadAt(b[:old], off)
		if n < old {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
	}
	clear(b[old:])
	return len(b), nil
}

// over copies to b, which begins at an offset, what of the edit lies in it.
func (e edit) over(b []byte, off int64) {
	switch d := e.off - off; {
	case d >= int64(len(b)) || -d >= int64(len(e.data)):
	case d >= 0:
		copy(b[d:], e.data)
	default:
		copy(b, e.data[-d:])
	}
}

// WriteTo writes the whole changed file to w, as [io.WriterTo] asks, a few KiB at a time.
func (p *Patch) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(w, io.NewSectionReader(p, 0, p.size))
	if err == nil && n < p.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		err = fmt.Errorf("pe: write %d bytes: %w", p.size, err)
	}
	return n, err
}

var (
	_ io.ReaderAt = (*Patch)(nil)
	_ io.WriterTo = (*Patch)(nil)
)
