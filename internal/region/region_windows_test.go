package region

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall"
)

var page = int64(os.Getpagesize())

func section(t *testing.T, file windows.Handle, protect uint32, size int64) *os.File {
	t.Helper()
	h, err := windows.CreateFileMapping(file, nil, protect, uint32(size>>32), uint32(size), nil)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(h), "lent")
}

func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	var h windows.Handle
	self := windows.CurrentProcess()
	if err := windows.DuplicateHandle(self, windows.Handle(f.Fd()), self, &h, Access, false, 0); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(h), "lent")
}

func TestShared(t *testing.T) {
	for _, fill := range []Fill{Sparse, Filled} {
		mine, err := Create("test", 4*page, fill)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := Accept(dup(t, mine.File()), 4*page)
		if err != nil {
			t.Fatal(err)
		}
		mine.CloseFile()
		mine.Bytes()[4*page-1] = 7
		if theirs.Bytes()[4*page-1] != 7 || theirs.Bytes()[0] != 0 || theirs.Size() != 4*page {
			t.Error("it is not the same memory")
		}
		for _, r := range []*Region{mine, theirs} {
			if err := errors.Join(r.Close(), r.Close()); err != nil {
				t.Error(err)
			}
		}
	}
}

// What a hostile peer may lend instead of a region.
func TestRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 4*page), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	none := windows.InvalidHandle
	for name, test := range map[string]struct {
		file *os.File
		says string
	}{
		"a file's":   {section(t, windows.Handle(file.Fd()), windows.PAGE_READWRITE, 4*page), "is a file's"},
		"reserved":   {section(t, none, windows.PAGE_READWRITE|0x4000000, 4*page), "not there yet"},
		"too small":  {section(t, none, windows.PAGE_READWRITE, 3*page), "were announced"},
		"too large":  {section(t, none, windows.PAGE_READWRITE, 5*page), "were announced"},
		"an event":   {os.NewFile(uintptr(event), "lent"), "not one of memory"},
		"a file":     {dupOf(t, file), "not one of memory"},
		"no writing": {readOnly(t), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Accept(test.file, 4*page)
			if err == nil {
				r.Close()
				t.Fatal("it is accepted")
			}
			if test.says != "" && (!errors.Is(err, partywall.ErrProtocol) || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%v", err)
			}
		})
	}
}

func dupOf(t *testing.T, f *os.File) *os.File {
	t.Helper()
	var h windows.Handle
	self := windows.CurrentProcess()
	if err := windows.DuplicateHandle(self, windows.Handle(f.Fd()), self, &h, 0, false, windows.DUPLICATE_SAME_ACCESS); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(h), "lent")
}

// readOnly is a handle that allows no writing, of memory that does.
func readOnly(t *testing.T) *os.File {
	t.Helper()
	r, err := Create("test", 4*page, Filled)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	var h windows.Handle
	self := windows.CurrentProcess()
	if err := windows.DuplicateHandle(self, windows.Handle(r.File().Fd()), self, &h, Access&^2, false, 0); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(h), "lent")
}
