package winapi

// Another process's memory.

//sys	VirtualAllocEx(process windows.Handle, address uintptr, size uintptr, kind uint32, protect uint32) (base uintptr, err error) = kernel32.VirtualAllocEx
//sys	VirtualFreeEx(process windows.Handle, address uintptr, size uintptr, kind uint32) (err error) = kernel32.VirtualFreeEx
//sys	GetMappedFileName(process windows.Handle, address uintptr, name *uint16, size uint32) (n uint32, err error) = kernel32.K32GetMappedFileNameW
