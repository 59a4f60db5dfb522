package pe

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Exports are what a library offers to others.
type Exports struct {
	// Name is the name that the library had when it was linked.
	Name string
	// Base is the first ordinal.
	Base uint32
	// Symbols are sorted by ordinal. One that has several names is there several times.
	Symbols []Export
}

// An Export is a function or variable that a library exports.
type Export struct {
	Name    string // "" if it has an ordinal only
	Ordinal uint32
	RVA     uint32 // where it is, relative to the beginning of the image
	// Forward is "LIBRARY.Name" or "LIBRARY.#ordinal" if it is in another library; RVA is
	// then the address of this text.
	Forward string
}

// Exports reads the export directory. An image that exports nothing has an Exports that
// is empty. It reads at most 65536 functions, 131072 names of at most 4096 bytes, and
// 16 MiB of names.
func (f *File) Exports() (*Exports, error) {
	d := f.Directory(DirExport)
	if d.Address == 0 {
		return &Exports{}, nil
	}
	const size = 40
	w := f.addresses()
	b, err := w.at(int64(d.Address), size)
	if err != nil {
		return nil, damaged("the export directory", d.Address, err)
	}
	le := binary.LittleEndian
	r := exportReader{
		dir: d, names: newNames(w),
		exports: &Exports{Base: le.Uint32(b[16:])},
		nNames:  le.Uint32(b[24:]), nameTable: le.Uint32(b[32:]), ordinalTable: le.Uint32(b[36:]),
	}
	name, n, table := le.Uint32(b[12:]), le.Uint32(b[20:]), le.Uint32(b[28:])
	switch {
	case n > maxFunctions:
		return nil, malformedAt(d.Address, "%d exported functions; ordinals end at %d", n, maxFunctions)
	case r.nNames > maxExports:
		return nil, malformedAt(d.Address, "%d exported names; at most %d are read", r.nNames, maxExports)
	}
	if name != 0 {
		if r.exports.Name, err = r.names.at("the name of the library", name); err != nil {
			return nil, err
		}
	}
	for i := range n {
		rva, err := w.uint32(int64(table) + int64(i)*4)
		if err != nil {
			return nil, damaged("the table of exported functions", table, err)
		}
		r.functions = append(r.functions, rva)
	}
	if err := r.named(w); err != nil {
		return nil, err
	}
	if err := r.nameless(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.exports.Symbols, func(a, b Export) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	return r.exports, nil
}

type exportReader struct {
	dir                             Directory
	names                           *names
	exports                         *Exports
	functions                       []uint32 // addresses
	seen                            []bool   // the function has a name
	nNames, nameTable, ordinalTable uint32
}

// named reads the names, whose other table says which functions they are of.
func (r *exportReader) named(w *window) error {
	r.seen = make([]bool, len(r.functions))
	ordinals := w.another()
	for i := range r.nNames {
		rva, err := w.uint32(int64(r.nameTable) + int64(i)*4)
		if err != nil {
			return damaged("the table of exported names", r.nameTable, err)
		}
		index, err := ordinals.uint16(int64(r.ordinalTable) + int64(i)*2)
		if err != nil {
			return damaged("the table of the exported names' ordinals", r.ordinalTable, err)
		}
		name, err := r.names.at("an exported name", rva)
		if err != nil {
			return err
		}
		if checkOrdinals && int(index) >= len(r.functions) {
			return malformedAt(r.ordinalTable, "%s is the name of function %d, and there are %d", printable(name), index, len(r.functions))
		}
		r.seen[index] = true
		if err := r.add(name, int(index)); err != nil {
			return err
		}
	}
	return nil
}

func (r *exportReader) nameless() error {
	for i, rva := range r.functions {
		if r.seen[i] || rva == 0 { // a gap between ordinals
			continue
		}
		if err := r.add("", i); err != nil {
			return err
		}
	}
	return nil
}

func (r *exportReader) add(name string, index int) (err error) {
	e := Export{Name: name, Ordinal: r.exports.Base + uint32(index), RVA: r.functions[index]}
	if e.RVA >= r.dir.Address && e.RVA-r.dir.Address < r.dir.Size {
		if e.Forward, err = r.names.at("a forwarder", e.RVA); err != nil {
			return err
		}
	}
	r.exports.Symbols = append(r.exports.Symbols, e)
	return nil
}
