package region

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func TestMain(m *testing.M) {
	proctest.Main(m, proctest.Roles{"small files": createLarge})
}

var page = int64(os.Getpagesize())

func create4(t *testing.T, label string, fill Fill) *Region {
	t.Helper()
	r, err := Create(label, 4*page, fill)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// dup returns a descriptor of its own for the region, as a peer would receive it.
func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "lent")
}

func TestShared(t *testing.T) {
	leaks := proctest.Watch(t)
	for _, fill := range []Fill{Sparse, Filled} {
		mine, err := Create("test", 4*page, fill)
		if err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(mine.File().Fd()), &st); err != nil {
			t.Fatal(err)
		}
		if blocks := st.Blocks * 512; fill == Filled && blocks < 4*page || fill == Sparse && blocks > 0 {
			t.Errorf("filled %v: %d bytes are allocated", fill, blocks)
		}
		if mine.Size() != 4*page || int64(len(mine.Bytes())) != 4*page || !bytes.Equal(mine.Bytes(), make([]byte, 4*page)) {
			t.Error("not four pages of zeros")
		}
		theirs, err := Accept(dup(t, mine.File()), 4*page)
		if err != nil {
			t.Fatal(err)
		}
		mine.Bytes()[page] = 1
		theirs.Bytes()[4*page-1] = 2
		if theirs.Bytes()[page] != 1 || mine.Bytes()[4*page-1] != 2 {
			t.Error("it is not the same memory")
		}
		if theirs.File() != nil {
			t.Error("an accepted region has a descriptor")
		}

		mine.CloseFile()
		mine.CloseFile()
		if mine.File() != nil || mine.Bytes()[page] != 1 {
			t.Error("the mapping goes with the descriptor")
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { _, _ = mine.Close(), theirs.Close() })
		}
		group.Wait()
		if mine.Close() != nil || theirs.Close() != nil || mine.Bytes() != nil {
			t.Error("Close is not idempotent")
		}
	}
	leaks.Check()
}

func TestLabel(t *testing.T) {
	r := create4(t, "labelled", Sparse)
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(maps), "/memfd:partywall-labelled") {
		t.Error("/proc/self/maps does not show the label")
	}
	flags, err := unix.FcntlInt(r.File().Fd(), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("a program that this one starts inherits the memory: %#x, %v", flags, err)
	}
}

// Nobody can take the memory away from under its readers, its creator included.
func TestSealsHold(t *testing.T) {
	for _, fill := range []Fill{Sparse, Filled} {
		r := create4(t, "sealed", fill)
		fd := int(r.File().Fd())
		for what, attack := range map[string]func() error{
			"shrink":        func() error { return unix.Ftruncate(fd, page) },
			"shrink to 0":   func() error { return unix.Ftruncate(fd, 0) },
			"grow":          func() error { return unix.Ftruncate(fd, 8*page) },
			"grow by write": func() error { _, err := unix.Pwrite(fd, []byte{1}, 4*page); return err },
			"allocate more": func() error { return unix.Fallocate(fd, 0, 0, 8*page) },
			"seal against writing": func() error {
				_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE)
				return err
			},
		} {
			if err := attack(); !errors.Is(err, unix.EPERM) {
				t.Errorf("%s: %v", what, err)
			}
		}
		// A hole is zeros, and no fault.
		r.Bytes()[page] = 1
		if err := unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4*page); err != nil {
			t.Fatal(err)
		}
		if r.Bytes()[page] != 0 || r.Size() != 4*page {
			t.Error("punching a hole does something else")
		}
	}
}

func TestBadSizes(t *testing.T) {
	for _, size := range []int64{0, -1, -page, 1, page - 1, page + 1, -1 << 63, 1<<63 - 1} {
		if r, err := Create("bad", size, Sparse); r != nil || err == nil || !strings.Contains(err.Error(), "region bad") {
			t.Errorf("Create of %d bytes: %v", size, err)
		}
		r := create4(t, "good", Sparse)
		if other, err := Accept(dup(t, r.File()), size); other != nil || !errors.Is(err, partywall.ErrProtocol) {
			t.Errorf("Accept of %d bytes: %v", size, err)
		}
	}
	if _, err := Create("large", MaxSize+page, Sparse); !errors.Is(err, partywall.ErrTooLarge) {
		t.Errorf("above the limit: %v", err)
	}
}

// memfd makes memory as a peer might.
func memfd(t *testing.T, size int64, flags, seals int) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("peer", unix.MFD_CLOEXEC|flags)
	if err != nil {
		t.Skip("memfd_create:", err)
	}
	f := os.NewFile(uintptr(fd), "peer")
	if err := unix.Ftruncate(fd, size); err != nil {
		t.Fatal(err)
	}
	if seals != 0 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func TestAcceptRefuses(t *testing.T) {
	const good = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW
	tests := []struct {
		what string
		open func(t *testing.T) *os.File
		want error
	}{
		{"no seals", func(t *testing.T) *os.File { return memfd(t, 4*page, unix.MFD_ALLOW_SEALING, 0) }, partywall.ErrProtocol},
		{"sealing not allowed", func(t *testing.T) *os.File { return memfd(t, 4*page, 0, 0) }, partywall.ErrProtocol},
		{"may shrink", func(t *testing.T) *os.File { return memfd(t, 4*page, unix.MFD_ALLOW_SEALING, unix.F_SEAL_GROW) }, partywall.ErrProtocol},
		{"may grow", func(t *testing.T) *os.File { return memfd(t, 4*page, unix.MFD_ALLOW_SEALING, unix.F_SEAL_SHRINK) }, partywall.ErrProtocol},
		{"too small", func(t *testing.T) *os.File { return memfd(t, 3*page, unix.MFD_ALLOW_SEALING, good) }, partywall.ErrProtocol},
		{"too large", func(t *testing.T) *os.File { return memfd(t, 5*page, unix.MFD_ALLOW_SEALING, good) }, partywall.ErrProtocol},
		{"empty", func(t *testing.T) *os.File { return memfd(t, 0, unix.MFD_ALLOW_SEALING, good) }, partywall.ErrProtocol},
		{"huge pages", func(t *testing.T) *os.File {
			return memfd(t, 2<<20, unix.MFD_ALLOW_SEALING|unix.MFD_HUGETLB|unix.MFD_HUGE_2MB, good)
		}, partywall.ErrProtocol},
		{"read only", func(t *testing.T) *os.File {
			f := memfd(t, 4*page, unix.MFD_ALLOW_SEALING, good)
			defer f.Close()
			r, err := os.Open("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}, nil},
		{"sealed against writing", func(t *testing.T) *os.File {
			return memfd(t, 4*page, unix.MFD_ALLOW_SEALING, good|unix.F_SEAL_WRITE)
		}, nil},
		{"file", func(t *testing.T) *os.File {
			f, err := os.Create(filepath.Join(t.TempDir(), "file"))
			if err == nil {
				err = f.Truncate(4 * page)
			}
			if err != nil {
				t.Fatal(err)
			}
			return f
		}, partywall.ErrProtocol},
		{"file in shared memory", func(t *testing.T) *os.File {
			f, err := os.CreateTemp("/dev/shm", "partywall-test-*")
			if err != nil {
				t.Skip(err)
			}
			os.Remove(f.Name())
			if err := f.Truncate(4 * page); err != nil {
				t.Fatal(err)
			}
			return f
		}, partywall.ErrProtocol},
		{"directory", func(t *testing.T) *os.File { return open(t, t.TempDir()) }, partywall.ErrProtocol},
		{"device", func(t *testing.T) *os.File { return open(t, "/dev/zero") }, partywall.ErrProtocol},
		{"pipe", func(t *testing.T) *os.File {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			w.Close()
			return r
		}, partywall.ErrProtocol},
		{"closed", func(t *testing.T) *os.File {
			f := open(t, "/dev/zero")
			f.Close()
			return f
		}, nil},
	}
	leaks := proctest.Watch(t)
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			size := 4 * page
			f := test.open(t)
			if test.what == "huge pages" {
				size = 2 << 20
			}
			r, err := Accept(f, size)
			if r != nil || err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%v", err)
			}
			if err := f.Close(); !errors.Is(err, os.ErrClosed) {
				t.Error("Accept has not closed what it took over")
			}
		})
	}
	leaks.Check()
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// createLarge makes regions where files may have a page each. The signal that
// comes with the limit must not matter.
func createLarge([]string) error {
	limit := unix.Rlimit{Cur: uint64(page), Max: uint64(page)}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for _, fill := range []Fill{Sparse, Filled} {
		r, err := Create("limited", 4*page, fill)
		if r != nil || !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), "region limited") {
			return errors.Join(errors.New("above the limit"), err)
		}
	}
	r, err := Create("limited", page, Filled)
	if err != nil {
		return err
	}
	return r.Close()
}

// What the system refuses is an error of Create, and no fault later.
func TestFileSizeLimit(t *testing.T) {
	if err := proctest.Start(t, "small files").Wait(); err != nil {
		t.Error(err)
	}
}

func BenchmarkCreate(b *testing.B) {
	for b.Loop() {
		r, err := Create("bench", 1<<20, Filled)
		if err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
