package section

import (
	"errors"
	"runtime/debug"
)

// errFault: the memory of a section is not there any more.
var errFault = errors.New("its memory has gone: somebody has cut its file short, or unmapped it")

// Shared memory is touched between guard and unguard. A fault there is a panic, because
// guard asks for that, and unguard makes an error of it:
//
//	defer unguard(guard(), &err)
//
// The memory of a file is not there where the file has been cut short, or where another goroutine
// has closed the section meanwhile.
func guard() bool { return debug.SetPanicOnFault(true) }

func unguard(before bool, err *error) {
	debug.SetPanicOnFault(before)
	if r := recover(); r != nil {
		faulted(r, err)
	}
}

// faulted turns the panic of a fault into an error, and goes on with any other.
func faulted(r any, err *error) {
	// A fault has the address at which it happened: runtime/debug.SetPanicOnFault.
	if _, ok := r.(interface{ Addr() uintptr }); !ok {
		panic(r)
	}
	*err = errFault
}
