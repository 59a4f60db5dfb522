// Package pe reads, audits, patches and builds Windows programs and libraries: PE files.
// All of that works on every system that Go runs on, without a compiler or a linker. It is
// about shared sections above all: parts of such a file that are one copy of memory for all
// the processes which load it. docs/PE.md explains them, and when not to use them.
//
//	f, err := pe.Open("program.exe")
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	for _, s := range f.Sections {
//		fmt.Println(s.Name, s.Flags) // .text re
//	}
//
// [Open] reads the headers, a few thousand bytes. The rest is read when it is asked
// for: [File.Exports], [File.Imports], [File.Relocations], and [File.ReadRVA], which
// reads what a process would see. [Loaded] reads the module of a running process.
//
// [Audit] finds shared sections, and other weaknesses, in files of others. [SetFlags] makes a
// section shared as a linker's option does, and [AddSection] adds a section to a program that
// is linked. A [DLL] is a library made from nothing but a list of variables: its sections hold
// them, and its exports are functions that get and set them.
//
//	v, err := pe.ParseVar("SectionA:shareDataA:int32=0:getDataA:setDataA")
//	…
//	dll := pe.DLL{Name: "SectionDLL.dll", Vars: []pe.Var{v}}
//	_, err = dll.WriteTo(file)
//
// On Windows, [LoadShared] loads such a library, and [Self] is the running program: their
// sections are there as bytes, and as words by [View].
//
// # Strange files
//
// Files that Windows runs need not look like those that compilers write. What is
// strange is read all the same, and [File.Warnings] lists it. What cannot be read is
// an error that wraps [ErrFormat]. No input makes this package panic, nor use more
// memory than a few times the size of the file or, for names that share their bytes,
// some tens of megabytes.
//
// Addresses are relative to where the image begins in memory, as in the file: an RVA.
// Numbers, names and offsets are those of Microsoft's "PE Format",
// https://learn.microsoft.com/windows/win32/debug/pe-format, and how an image is
// mapped follows what loaders do where that page is silent.
package pe
