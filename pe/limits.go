package pe

// Limits of what is read. Files that loaders accept stay far below them.
const (
	// maxName is the longest name of a section, library or symbol, in bytes.
	maxName = 4096

	// maxNames is the sum of the lengths of the names that one call returns, in bytes.
	maxNames = 16 << 20

	// maxStrings is how much of the string table is read for the names of sections,
	// in bytes.
	maxStrings = 1 << 20

	// maxFunctions is the number of functions that a library exports. Ordinals have
	// 16 bits.
	maxFunctions = 1 << 16

	// maxExports is the number of names and nameless functions of a library.
	maxExports = 1 << 17

	// maxLibraries is the number of libraries that an image imports from.
	maxLibraries = 1 << 12

	// maxImports is the number of symbols that an image imports.
	maxImports = 1 << 17

	// maxBlock is the number of entries of a block of relocations, which is about one
	// page of 4096 bytes.
	maxBlock = 1 << 14

	// maxRelocations is the number of relocations of an image.
	maxRelocations = 1 << 24

	// maxWarnings is the number of warnings that are kept, and one that counts the others.
	maxWarnings = 32

	// maxReads is how often one call reads from the file. It is reached if what it reads is
	// scattered over the file, or over many sections of a few bytes.
	maxReads = 1 << 19

	// windowSize is how much of the file is read at once, in bytes. maxWindow is the most
	// that one structure may need.
	windowSize = 4 << 10
	maxWindow  = 64 << 10
)

// Sizes of the file's structures, in bytes.
const (
	dosHeaderSize     = 64
	coffHeaderSize    = 20
	directorySize     = 8
	sectionHeaderSize = 40
	symbolSize        = 18

	maxDirectories = 16
	sectorSize     = 512
	pageSize       = 4096
)
