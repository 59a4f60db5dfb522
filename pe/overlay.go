package pe

// Signature returns where the attribute certificate table is, which holds the
// signatures: file offset and size in bytes. It reports false if there is none, if it
// is not in the file, or if this is a loaded image. It does not check the signature.
func (f *File) Signature() (offset, size int64, ok bool) {
	d := f.Directory(DirSecurity)
	offset, size = int64(d.Address), int64(d.Size)
	if f.Mapped || offset == 0 || size == 0 || offset+size > f.Size {
		return 0, 0, false
	}
	return offset, size, true
}

// Overlay returns what no loader maps: the bytes behind the headers and the last raw data
// of a section, as file offset and size in bytes. Signatures are there, see
// [File.Signature], and so are the symbol table and the string table, the data of
// installers and self-extracting archives, and padding. The size is 0 if there is
// nothing, and in a loaded image.
func (f *File) Overlay() (offset, size int64) {
	if f.Mapped {
		return f.Size, 0
	}
	end := min(int64(f.Optional.SizeOfHeaders), f.Size)
	for i := range f.Sections {
		if off, size := f.raw(&f.Sections[i]); size > 0 {
			end = max(end, off+size)
		}
	}
	return end, f.Size - end
}
