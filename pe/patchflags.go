package pe

import (
	"fmt"
	"strings"
)

// memoryFlags are those that SetFlags changes: what the letters of /SECTION:name,rws
// stand for.
const memoryFlags = Read | Write | Execute | Shared | Discardable | NotCached | NotPaged

// SetFlags changes what may be done with the memory of a section of the file at path, as
// Microsoft's editbin /SECTION:name,rws does, and writes the result to out, or to path
// itself if out is "". See [File.SetFlags] for what it does, and [PatchFile] for how
// it writes.
func SetFlags(path, out, section string, flags SectionFlags, o PatchOptions) error {
	return PatchFile(path, out, func(f *File) (*Patch, error) { return f.SetFlags(section, flags, o) })
}

// SetFlags gives a section the flags that say what may be done with its memory, from [Read]
// to [NotPaged], in place of those it has. It keeps those that say what it
// contains, whatever is in flags; a shared section also gets [Initialised].
//
// Only the flags and the checksum change. To change several sections, patch the result
// of one SetFlags again.
//
// It refuses to share ([ErrUnshareable]):
//
//   - memory that is writable and executable, or not readable;
//   - a section of which nothing is in the file, which Windows does not share;
//   - a section without pages of its own;
//
// and, unless forced:
//
//   - a section with a name that linkers use themselves, such as .data, which holds the
//     pointers of the C library or of Go's runtime;
//   - one that the loader writes addresses to: base relocations, imports;
//   - one that holds a table of the loader, or the entry point;
//   - one that goes on in memory, for pages, where its data in the file has ended.
//
// It also refuses a name that no section has ([ErrNoSection]) or several ([ErrSectionName]),
// a signed file, unless told to strip the signature ([ErrSigned]), and a file that is
// cut off ([ErrFormat]).
func (f *File) SetFlags(section string, flags SectionFlags, o PatchOptions) (*Patch, error) {
	i, err := f.sectionIndex(section)
	if err != nil {
		return nil, err
	}
	p, err := f.begin(o)
	if err != nil {
		return nil, err
	}
	s := f.Sections[i]
	s.Flags = s.Flags&^memoryFlags | flags&memoryFlags
	if s.Flags.Has(Shared) {
		if err := f.shareable(&s, o.Force); err != nil {
			return nil, err
		}
		s.Flags |= Initialised
	}
	at := f.Offsets.SectionTable + int64(i)*sectionHeaderSize
	p.putUint32(at+characteristicsOffset, uint32(s.Flags))
	return p.finish(f, s, i)
}

// sectionIndex finds the only section of a name.
func (f *File) sectionIndex(name string) (int, error) {
	index := -1
	var names []string
	for i := range f.Sections {
		if n := f.Sections[i].Name; n != name {
			names = append(names, printable(n))
			continue
		}
		if index >= 0 {
			return 0, fmt.Errorf("%w: sections %d and %d are both called %s", ErrSectionName, index+1, i+1, printable(name))
		}
		index = i
	}
	if index < 0 {
		if len(names) > 16 {
			names = append(names[:16], "...")
		}
		return 0, fmt.Errorf("%w: %s; there are: %s", ErrNoSection, printable(name), strings.Join(names, ", "))
	}
	return index, nil
}
