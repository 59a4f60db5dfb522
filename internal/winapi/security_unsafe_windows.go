package winapi

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// SecurityAttributes is SECURITY_ATTRIBUTES with a descriptor, for a handle that is not inherited.
func SecurityAttributes(sd *windows.SECURITY_DESCRIPTOR) *windows.SecurityAttributes {
	return &windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd}
}
