package doctor

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// probes are in the order in which they are shown: first what everything else
// needs, then what a call needs, then what bounds calls, then the rest.
func probes() []probe {
	return []probe{
		{id: "descriptors", title: "Open files", try: descriptors, decides: true},
		{id: "proc", title: "/proc", try: proc},
		{id: "kernel", title: "Kernel", try: kernel},
		{id: "processors", title: "Processors", try: processors},
		{id: "memfd", title: "memfd_create", try: memfdCreate},
		{id: "seals", title: "Seals", try: sealing, needs: "memfd"},
		{id: "fallocate", title: "fallocate", try: allocating, needs: "memfd"},
		{id: "shared-mapping", title: "Shared mapping", try: sharedMapping, needs: "memfd"},
		{id: "seqpacket", title: "Unix sockets", try: seqpacket},
		{id: "run-directory", title: "Run directory", try: runDirectory, needs: "proc"},
		{id: "rendezvous", title: "Finding a service", try: findService, needs: "run-directory"},
		{id: "file-size", title: "File size limit", try: fileSize},
		{id: "address-space", title: "Address space limit", try: addressSpace},
		{id: "cgroup-memory", title: "Memory cgroup", try: cgroupMemory},
		{id: "map-count", title: "Mappings", try: mapCount},
		{id: "futex", title: "futex", try: futexWake, needs: "memfd"},
		{id: "yama", title: "Yama", try: yama},
		{id: "sandbox", title: "Sandbox", try: sandbox},
	}
}

// kernel is for information: nothing follows from it.
func kernel(context.Context) Finding {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return unreadable(err, "uname")
	}
	text := func(b []byte) string { return unix.ByteSliceToString(b) }
	return fine("%s %s, %s", text(u.Sysname[:]), text(u.Release[:]), runtime.GOARCH)
}

// proc: the run directory is used by the path /proc/self/fd/N, which stays the
// same directory whatever its own path becomes, and is short enough for a socket.
func proc(context.Context) Finding {
	fd, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return refused(err, "open /", "the run directory cannot be opened.")
	}
	defer unix.Close(fd)
	path := "/proc/self/fd/" + strconv.Itoa(fd)
	var direct, through unix.Stat_t
	if err = unix.Fstat(fd, &direct); err == nil {
		err = unix.Stat(path+"/.", &through)
	}
	if err != nil || direct.Dev != through.Dev || direct.Ino != through.Ino {
		seen := path + " is not the directory that it stands for"
		if err != nil {
			seen = path + ": " + err.Error()
		}
		return Finding{
			Status: Failed,
			Seen:   seen,
			Means:  "Services are listened for and found by paths below /proc/self/fd.",
			Advice: "Mount it: mount -t proc proc /proc (a chroot needs one of its own).",
		}
	}
	return fine("/proc/self/fd leads to open directories")
}

// yama: no call looks into another process's memory, but procmem will.
func yama(context.Context) Finding {
	const path = "/proc/sys/kernel/yama/ptrace_scope"
	text, err := os.ReadFile(path)
	switch {
	case os.IsNotExist(err):
		return fine("not in this kernel; calls would not need to know")
	case err != nil:
		return Finding{Status: Unknown, Seen: err.Error(), Means: "Nothing for calls: they do not need it.", Advice: "Nothing for calls."}
	}
	return yamaScope(strings.TrimSpace(string(text)))
}

func yamaScope(scope string) Finding {
	const calls = "calls do not need it"
	switch scope {
	case "0":
		return fine("ptrace_scope 0: nothing is restricted; %s", calls)
	case "1":
		return fine("ptrace_scope 1: %s; package procmem reaches only this process's descendants", calls)
	}
	return Finding{
		Status: Warning,
		Seen:   "ptrace_scope " + scope + ": " + calls,
		Means:  "Package procmem does not reach other processes' memory (process_vm_readv).",
		Advice: "Nothing for calls. For procmem: sysctl kernel.yama.ptrace_scope=1, unless it is 3, which lasts until the next boot.",
	}
}

// sandbox says what the trials before ran in, if it can tell.
func sandbox(context.Context) Finding {
	var hints []string
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		hints = append(hints, seccomp(string(status))...)
	}
	for _, hint := range []struct{ path, name string }{
		{"/.dockerenv", "a Docker container"},
		{"/run/.containerenv", "a Podman container"},
		{"/var/run/secrets/kubernetes.io", "a Kubernetes pod"},
		{"/.flatpak-info", "a Flatpak sandbox"},
	} {
		if _, err := os.Lstat(hint.path); err == nil {
			hints = append(hints, hint.name)
		}
	}
	if name := os.Getenv("container"); name != "" {
		hints = append(hints, "a container that calls itself "+strconv.Quote(name))
	}
	if len(hints) == 0 {
		return fine("no sign of one")
	}
	return fine("%s; what it permits was tried above", strings.Join(hints, ", "))
}

func seccomp(status string) (hints []string) {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		if name == "Seccomp" && strings.TrimSpace(value) == "2" {
			hints = append(hints, "a seccomp filter")
		}
	}
	return hints
}
