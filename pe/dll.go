package pe

import (
	"fmt"
	"io"
)

// A DLL is a DLL to be made: variables in sections that all processes share,
// functions that read and set them, and names that stand for functions of other
// DLLs. No compiler and no linker is needed, and the system that it is made on does
// not matter.
//
//	d := pe.DLL{
//		Name: "SectionDLL.dll",
//		Vars: []pe.Var{{
//			Section: "SectionA", Name: "shareDataA", Type: pe.Int32,
//			Getter: "getDataA", Setter: "setDataA",
//		}},
//	}
//	_, err := d.WriteTo(file)
//
// The same DLL is the same bytes each time. It has no entry point and no imports,
// so it loads in any process of its machine.
//
// # What the processes share
//
// Windows keeps one copy of a shared section for all processes of a session that load
// the DLL from the same file; a copy of the file has data of its own. The values live
// while any process has the DLL loaded, and are then the initial ones again. They never
// reach the file. Whoever may open the file for mapping may write all of the section:
// what is in it is input, to be checked like any other.
//
// # Exports
//
// Each variable is exported as data under its name: GetProcAddress returns its
// address. A getter of type T takes nothing and returns T; a setter takes one T and
// returns nothing; both follow the machine's C calling convention (cdecl on 386, where
// names are not decorated). Results shorter than 32 bits are extended by their sign or
// with zeros, so that a caller which expects either extension is right.
//
// The getter of an array returns the address of its first element. An array has no
// setter. It exports one function more, NAME_size, which returns the array's size in
// bytes as a uint32.
//
// # Atomicity
//
// An accessor is one plain load or store of the variable's exact width, and variables
// are aligned by their size. Thus on AMD64 and ARM64 values are never torn; but
// nothing is ordered, and a change that depends on the old value needs an interlocked
// operation at the exported address. On 386, 64-bit integers are two loads or stores,
// and can be torn. (Intel SDM volume 3, "Guaranteed Atomic Operations"; Arm ARM,
// "Requirements for single-copy atomicity".)
type DLL struct {
	// Name is the name in the export directory, such as "SectionDLL.dll". It has no
	// directory.
	Name string
	// Machine is AMD64 if zero. ARM64 and I386 are the others.
	Machine Machine
	// Vars are the variables. They lie in their section in this order.
	Vars []Var
	// Forwards are names that stand for what other DLLs export.
	Forwards []Forward
	// Timestamp is the time in the header, in seconds since 1970. Zero says nothing, and
	// keeps builds reproducible.
	Timestamp uint32
}

// A Var is a variable of a DLL, exported as data under its name.
type Var struct {
	// Section has at most 8 bytes, and is none of the names that linkers use for
	// themselves. Variables with the same Section share it.
	Section string
	// Name is the export name of the variable's address.
	Name string
	Type Type
	// Count makes the variable an array of so many elements. Zero: it is none.
	Count int
	// Initial is how the variable begins, as in memory: little endian. What it does
	// not cover is zero.
	Initial []byte
	// Getter and Setter are the export names of functions; "" for none.
	Getter, Setter string
	// Private puts the variable in a section that is not shared: each process has a copy
	// of its own from when it first writes to the page. All variables of the section
	// have to agree.
	Private bool
}

// A Forward is an export that stands for another DLL's, which is loaded when the name
// is first looked up.
type Forward struct {
	// Name is the export name, such as "ProcessPrng".
	Name string
	// Target is DLL.NAME, such as "advapi32.SystemFunction036", or DLL.#ORDINAL. The
	// DLL has no ".dll".
	Target string
}

// WriteTo writes the DLL to w, as [io.WriterTo] asks, if [DLL.Check] finds nothing. It
// makes the whole file in memory first.
func (d *DLL) WriteTo(w io.Writer) (int64, error) {
	image, err := d.image()
	if err != nil {
		return 0, err
	}
	n, err := w.Write(image)
	if err == nil && n < len(image) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return int64(n), fmt.Errorf("pe: write %s: %w", d.Name, err)
	}
	return int64(n), nil
}

var _ io.WriterTo = (*DLL)(nil)
