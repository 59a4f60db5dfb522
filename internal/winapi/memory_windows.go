package winapi

import "math/bits"

// Another process's memory.

//sys	VirtualAllocEx(process windows.Handle, address uintptr, size uintptr, kind uint32, protect uint32) (base uintptr, err error) = kernel32.VirtualAllocEx
//sys	VirtualFreeEx(process windows.Handle, address uintptr, size uintptr, kind uint32) (err error) = kernel32.VirtualFreeEx
//sys	GetMappedFileName(process windows.Handle, address uintptr, name *uint16, size uint32) (n uint32, err error) = kernel32.K32GetMappedFileNameW

// VirtualQueryEx is in x/sys with a struct that is wrong on 32-bit systems.

//sys	VirtualQueryEx(process windows.Handle, address uintptr, info *MemoryBasicInformation, size uintptr) (written uintptr, err error) = kernel32.VirtualQueryEx

// MemoryBasicInformation is MEMORY_BASIC_INFORMATION:
//
//	typedef struct _MEMORY_BASIC_INFORMATION {
//	  PVOID  BaseAddress;
//	  PVOID  AllocationBase;
//	  DWORD  AllocationProtect;
//	#if defined (_WIN64)
//	  WORD   PartitionId;
//	#endif
//	  SIZE_T RegionSize;
//	  DWORD  State;
//	  DWORD  Protect;
//	  DWORD  Type;
//	} MEMORY_BASIC_INFORMATION, *PMEMORY_BASIC_INFORMATION;
type MemoryBasicInformation struct {
	BaseAddress       uintptr
	AllocationBase    uintptr
	AllocationProtect uint32
	_                 [bits.UintSize/8 - 4]byte // PartitionId
	RegionSize        uintptr
	State             uint32
	Protect           uint32
	Type              uint32
}

const (
	MEM_FREE    = 0x10000 // of State
	MEM_PRIVATE = 0x20000 // of Type
	MEM_MAPPED  = 0x40000
	MEM_IMAGE   = 0x1000000
)
