package pe

// A Directory says where in the image one of its tables is: an address relative to the
// beginning of the image, and a size in bytes. Both are 0 if there is no such table. The
// Address of [DirSecurity] is a file offset.
type Directory struct {
	Address uint32
	Size    uint32
}

// Indexes of the data directories (IMAGE_DIRECTORY_ENTRY_*).
const (
	DirExport       = 0
	DirImport       = 1
	DirResource     = 2
	DirException    = 3
	DirSecurity     = 4 // the attribute certificate table; its Address is a file offset
	DirBaseReloc    = 5
	DirDebug        = 6
	DirArchitecture = 7
	DirGlobalPtr    = 8
	DirTLS          = 9
	DirLoadConfig   = 10
	DirBoundImport  = 11
	DirIAT          = 12
	DirDelayImport  = 13
	DirCLR          = 14 // the header of a .NET assembly
)
