package procmem

// A Region is a range of addresses in a process that have everything below in
// common.
type Region struct {
	Address uint64
	Size    uint64 // in bytes

	// What the process may do there.
	Read, Write, Execute bool

	// Shared: what the process writes there, others that have mapped it see. On Windows
	// it is false for the sections of a program or library, where the system does
	// not tell.
	Shared bool

	// Committed: there is memory behind the addresses. Windows knows addresses that
	// are only reserved; on Linux it is always true.
	Committed bool

	// Path is the file that is mapped, as the system writes it, or empty. Windows
	// writes \Device\HarddiskVolume1\dir\file. Linux adds " (deleted)" to a
	// file without a name, and has names such as [heap] for memory that is no file.
	Path string
}
