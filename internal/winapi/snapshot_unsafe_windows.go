package winapi

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// ProcessEntry is a PROCESSENTRY32 for Process32First.
func ProcessEntry() windows.ProcessEntry32 {
	return windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
}

// ThreadEntry is a THREADENTRY32 for Thread32First.
func ThreadEntry() windows.ThreadEntry32 {
	return windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
}
