package pe

import "encoding/binary"

// An Import is a library that an image needs, and what it needs of it.
type Import struct {
	DLL     string
	Symbols []ImportSymbol
}

// An ImportSymbol is a function or variable of another library. It has a name or an
// ordinal.
type ImportSymbol struct {
	Name    string
	Hint    uint16 // where the name may be in the library's table of names
	Ordinal uint16 // if Name is ""
	// Slot is where the loader puts the address, relative to the beginning of the image.
	Slot uint32
}

// Imports reads the import directory up to its end, as loaders do, whatever its size. It
// reads at most 4096 libraries, 131072 symbols with names of at most 4096 bytes, and
// 16 MiB of names. With an error it returns what it read until then.
//
// A loaded image whose linker kept no table of names beside the addresses has Imports
// without Symbols.
func (f *File) Imports() ([]Import, error) {
	d := f.Directory(DirImport)
	if d.Address == 0 {
		return nil, nil
	}
	const size = 20
	w := f.addresses()
	r := importReader{f: f, w: w.another(), names: newNames(w), left: maxImports}
	var imports []Import
	for at := int64(d.Address); ; at += size {
		b, err := w.at(at, size)
		if err != nil {
			return imports, damaged("the import directory", d.Address, err)
		}
		le := binary.LittleEndian
		lookup, name, slots := le.Uint32(b), le.Uint32(b[12:]), le.Uint32(b[16:])
		if name == 0 || slots == 0 {
			return imports, nil
		}
		if len(imports) == maxLibraries {
			return imports, malformedAt(d.Address, "more than %d imported libraries", maxLibraries)
		}
		dll, err := r.names.at("the name of an imported library", name)
		if err != nil {
			return imports, err
		}
		symbols, err := r.symbols(lookup, slots)
		imports = append(imports, Import{DLL: dll, Symbols: symbols})
		if err != nil {
			return imports, err
		}
	}
}

type importReader struct {
	f     *File
	w     *window
	names *names
	left  int // symbols
}

// symbols reads what is imported of one library: the lookup table, or if there is none
// the slots themselves, which have the same contents until the loader changes them.
func (r *importReader) symbols(lookup, slots uint32) (symbols []ImportSymbol, err error) {
	if lookup < r.f.Optional.SizeOfHeaders {
		if r.f.Mapped {
			return nil, nil
		}
		lookup = slots
	}
	size := uint32(4)
	if r.f.Optional.Plus {
		size = 8
	}
	for i := uint32(0); ; i += size {
		b, err := r.w.at(int64(lookup)+int64(i), int(size))
		if err != nil {
			return symbols, damaged("a table of imported symbols", lookup, err)
		}
		entry := uint64(binary.LittleEndian.Uint32(b))
		if r.f.Optional.Plus {
			entry = binary.LittleEndian.Uint64(b)
		}
		if entry == 0 {
			return symbols, nil
		}
		if r.left--; r.left < 0 {
			return symbols, malformedAt(lookup, "more than %d imported symbols", maxImports)
		}
		s := ImportSymbol{Slot: slots + i}
		if entry>>(size*8-1) != 0 {
			s.Ordinal = uint16(entry)
		} else if s.Hint, s.Name, err = r.hintName(uint32(entry)); err != nil {
			return symbols, err
		}
		symbols = append(symbols, s)
	}
}

// hintName reads an entry of the hint/name table.
func (r *importReader) hintName(rva uint32) (hint uint16, name string, err error) {
	rva &= 1<<31 - 1
	if hint, err = r.names.w.uint16(int64(rva)); err != nil {
		return 0, "", damaged("an imported symbol", rva, err)
	}
	name, err = r.names.at("an imported symbol", rva+2)
	return hint, name, err
}
