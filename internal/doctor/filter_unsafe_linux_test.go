package doctor

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forbid has the kernel answer a system call of this process with errno from now
// on: always, or if an argument's lower half is value (seccomp(2)).
func forbid(call uint32, errno unix.Errno, argument int, value uint32) error {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		end    = unix.BPF_RET | unix.BPF_K
		allow  = 0x7fff0000 // SECCOMP_RET_ALLOW
		refuse = 0x00050000 // SECCOMP_RET_ERRNO
		args   = 16         // struct seccomp_data: nr, arch, instruction_pointer, args; little endian
		filter = 1          // SECCOMP_SET_MODE_FILTER
		tsync  = 1          // SECCOMP_FILTER_FLAG_TSYNC: for all threads
	)
	program := []unix.SockFilter{
		{Code: load, K: 0},
		{Code: equal, K: call, Jf: 3},
		{Code: load, K: args + 8*uint32(max(argument, 0))},
		{Code: equal, K: value, Jf: 1},
		{Code: end, K: refuse | uint32(errno)},
		{Code: end, K: allow},
	}
	if argument < 0 {
		program[2] = unix.SockFilter{Code: load, K: 0}
		program[3].K = call
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, filter, tsync, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	return nil
}
