package pe

import "fmt"

// A Machine is the kind of processor that an image runs on (IMAGE_FILE_MACHINE_*).
type Machine uint16

// The machines that Windows runs on.
const (
	I386  Machine = 0x14C
	ARMNT Machine = 0x1C4 // 32-bit ARM, Thumb-2
	AMD64 Machine = 0x8664
	ARM64 Machine = 0xAA64
)

// String returns the name that Go has for the machine, as "amd64", and a hexadecimal
// number for the others.
func (m Machine) String() string {
	switch m {
	case I386:
		return "386"
	case ARMNT:
		return "arm"
	case AMD64:
		return "amd64"
	case ARM64:
		return "arm64"
	}
	return fmt.Sprintf("%#x", uint16(m))
}

// Bits of [File.Characteristics] (IMAGE_FILE_*).
const (
	FileRelocsStripped    = 0x0001 // it runs at its ImageBase only
	FileExecutableImage   = 0x0002 // the linker had no errors
	FileLargeAddressAware = 0x0020 // addresses above 2 GiB are welcome
	File32BitMachine      = 0x0100
	FileDLL               = 0x2000
)

// Bits of [Optional.DLLCharacteristics] (IMAGE_DLLCHARACTERISTICS_*).
const (
	HighEntropyVA  = 0x0020 // 64-bit addresses for address space layout randomization
	DynamicBase    = 0x0040 // it may be moved
	ForceIntegrity = 0x0080 // its signature is checked before it is loaded
	NXCompat       = 0x0100 // its data need not be executable
	NoSEH          = 0x0400
	AppContainer   = 0x1000
	GuardCF        = 0x4000
	TerminalServer = 0x8000 // terminal server aware
)

// Values of [Optional.Subsystem] (IMAGE_SUBSYSTEM_*).
const (
	SubsystemNative         = 1
	SubsystemGUI            = 2
	SubsystemConsole        = 3
	SubsystemEFIApplication = 10
)
