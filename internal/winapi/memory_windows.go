package winapi

// Another process's memory.

//sys	VirtualAllocEx(process windows.Handle, address uintptr, size uintptr, kind uint32, protect uint32) (base uintptr, err error) = kernel32.VirtualAllocEx
//sys	VirtualFreeEx(process windows.Handle, address uintptr, size uintptr, kind uint32) (err error) = kernel32.VirtualFreeEx
//sys	GetProcessHandleCount(process windows.Handle, count *uint32) (err error) = kernel32.GetProcessHandleCount
