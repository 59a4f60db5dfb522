package call

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

// lendHandle lends a number, whatever it is.
func lendHandle(number uint64) func(*lyingClient) error {
	return func(l *lyingClient) error {
		l.regions++
		if err := l.rawHandle(frame(msgLend, false, encode(lend{Region: l.regions, Size: page64K})), number); err != nil {
			return err
		}
		_, err := l.next()
		return err
	}
}

// lendObject lends a handle of something that is no memory.
func lendObject(open func() (windows.Handle, error)) func(*lyingClient) error {
	return lendThis(page64K, func() (*os.File, error) {
		h, err := open()
		return os.NewFile(uintptr(h), "hostile"), err
	})
}

// ofFile makes a section of a file on a disk.
func ofFile(protect uint32) func() (*os.File, error) {
	return func() (*os.File, error) {
		f, err := os.Create(filepath.Join(os.TempDir(), fmt.Sprintf("hostile-%d", os.Getpid())))
		if err != nil {
			return nil, err
		}
		defer os.Remove(f.Name())
		defer f.Close()
		if err := f.Truncate(page64K); err != nil {
			return nil, err
		}
		return sectionOf(windows.Handle(f.Fd()), protect, page64K)
	}
}

// image makes a section of this program's image.
func image() (*os.File, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return sectionOf(windows.Handle(f.Fd()), windows.PAGE_READONLY|winapi.SEC_IMAGE, 0)
}

// lessThan makes good memory, and a handle of it that allows only some things.
func lessThan(access uint32) func() (*os.File, error) {
	return func() (*os.File, error) {
		f, err := lendable(page64K)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return again(windows.Handle(f.Fd()), access)
	}
}

// strangeLends are lies with handles.
var strangeLends = []clientLie{
	// Numbers that no handle has, among them those that the system takes for a process or a thread.
	{name: "lend-handle-odd", lie: lendHandle(0x41)},
	{name: "lend-handle-two", lie: lendHandle(2)},
	{name: "lend-handle-this-process", lie: lendHandle(1<<64 - 1)},
	{name: "lend-handle-this-thread", lie: lendHandle(1<<64 - 2)},
	{name: "lend-handle-this-token", lie: lendHandle(1<<64 - 4)},
	{name: "lend-handle-this-process-32", lie: lendHandle(1<<32 - 1)},
	{name: "lend-handle-unused", lie: lendHandle(0x7ffffff0)},
	{name: "lend-handle-huge", lie: lendHandle(1<<32 + 4)},
	{name: "lend-handle-closed", lie: func(l *lyingClient) error {
		f, err := lendable(page64K)
		if err != nil {
			return err
		}
		number := uint64(f.Fd())
		f.Close()
		return lendHandle(number)(l)
	}},

	// Of the wrong kind.
	{name: "lend-event", lie: lendObject(func() (windows.Handle, error) { return windows.CreateEvent(nil, 0, 0, nil) })},
	{name: "lend-mutex", lie: lendObject(func() (windows.Handle, error) { return windows.CreateMutex(nil, false, nil) })},
	{name: "lend-token", lie: lendObject(func() (windows.Handle, error) {
		var token windows.Token
		err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_ALL_ACCESS, &token)
		return windows.Handle(token), err
	})},
	{name: "lend-process", lie: lendObject(func() (windows.Handle, error) {
		return windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(os.Getpid()))
	})},
	{name: "lend-thread", lie: lendObject(func() (windows.Handle, error) {
		return windows.OpenThread(windows.SYNCHRONIZE, false, windows.GetCurrentThreadId())
	})},
	{name: "lend-job", lie: lendObject(func() (windows.Handle, error) { return windows.CreateJobObject(nil, nil) })},
	{name: "lend-port", lie: lendObject(func() (windows.Handle, error) {
		return windows.CreateIoCompletionPort(windows.InvalidHandle, 0, 0, 1)
	})},
	{name: "lend-file", lie: lendThis(page64K, func() (*os.File, error) {
		path, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return os.Open(path)
	})},
	{name: "lend-pipe", lie: lendThis(page64K, func() (*os.File, error) {
		r, _, err := os.Pipe()
		return r, err
	})},

	// Memory that can be taken away, or that is not there.
	{name: "lend-section-of-a-file", lie: lendThis(page64K, ofFile(windows.PAGE_READWRITE))},
	{name: "lend-section-of-a-file-read-only", lie: lendThis(page64K, ofFile(windows.PAGE_READONLY))},
	{name: "lend-image", lie: lendThis(page64K, image)},
	{name: "lend-reserved", lie: lendThis(page64K, func() (*os.File, error) {
		return sectionOf(windows.InvalidHandle, windows.PAGE_READWRITE|winapi.SEC_RESERVE, page64K)
	})},
	// Memory that Windows refuses to map for writing, and Wine does not.
	{name: "lend-read-only-section", want: served, lie: lendThis(page64K, func() (*os.File, error) {
		return sectionOf(windows.InvalidHandle, windows.PAGE_READONLY, page64K)
	})},

	// Handles that allow less than is needed. The system gives all of an object to who may have it.
	{name: "lend-may-read-only", want: served, lie: lendThis(page64K, lessThan(winapi.SECTION_QUERY|winapi.SECTION_MAP_READ))},
	{name: "lend-may-write-only", want: served, lie: lendThis(page64K, lessThan(winapi.SECTION_QUERY|winapi.SECTION_MAP_WRITE))},
	{name: "lend-may-query-only", want: served, lie: lendThis(page64K, lessThan(winapi.SECTION_QUERY))},
	{name: "lend-may-map-only", want: served, lie: lendThis(page64K, lessThan(winapi.SECTION_MAP_READ|winapi.SECTION_MAP_WRITE))},

	// A handle is one's own to close once the server has taken its duplicate.
	{name: "lend-then-close", want: served, lie: func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		f.Close()
		return with(func(f *requestFields) { f.region, f.bodyLen = 1, page64K })(l)
	}},
	// The same memory twice, and the link's own.
	{name: "lend-twice", want: served, lie: func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		return lendThis(page64K, func() (*os.File, error) { return again(windows.Handle(f.Fd()), 0) })(l)
	}},
	{name: "lend-the-link", want: served, lie: func(l *lyingClient) error {
		return lendThis(linkBytes, func() (*os.File, error) { return again(windows.Handle(l.wire.memory.File().Fd()), 0) })(l)
	}},

	// Two handles for one message.
	{name: "handle-on-each-page", lie: func(l *lyingClient) error {
		for range 2 {
			f, err := lendable(page64K)
			if err != nil {
				return err
			}
			if err := l.raw(frame(msgLend, true, []byte("and more")), f); err != nil {
				return err
			}
		}
		return nil
	}},

	// Memory that nobody has asked for, and answers to who has not asked.
	{name: "make-unasked", lie: func(l *lyingClient) error {
		f, err := lendable(page64K)
		if err != nil {
			return err
		}
		return l.raw(frame(msgMake, false, nil), f)
	}},
	{name: "make-unasked-without-memory", lie: rawly(frame(msgMake, false, nil))},
	{name: "make-unasked-with-words", lie: rawly(frame(msgMake, false, []byte("there is none")))},
	{name: "make-asks-the-server", lie: rawly(frame(msgMake, false, binary.LittleEndian.AppendUint64(nil, 4096)))},
}
