package call

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// sealed opens a memfd of that size with those seals.
func sealed(size int64, seals int) func() (*os.File, error) {
	return func() (*os.File, error) { return memfd(size, seals) }
}

func file(dir string) func() (*os.File, error) {
	return func() (*os.File, error) { return onDisk(dir, page64K) }
}

// strangeLends are lies with descriptors.
var strangeLends = []clientLie{
	{name: "lend-two-descriptors", lie: func(l *lyingClient) error {
		a, err := lendable(page64K)
		if err != nil {
			return err
		}
		return l.lendAndUse(page64K, a, a)
	}},
	{name: "lend-many-descriptors", lie: func(l *lyingClient) error {
		a, err := lendable(page64K)
		if err != nil {
			return err
		}
		return l.lendAndUse(page64K, a, a, a, a, a, a, a, a)
	}},
	{name: "lend-empty", lie: lendThis(page64K, sealed(0, sealSize))},

	// Of the wrong kind.
	{name: "lend-pipe", lie: lendThis(page64K, notMemory)},
	{name: "lend-file", lie: lendThis(page64K, file(os.TempDir()))},
	{name: "lend-tmpfs-file", lie: lendThis(page64K, file("/dev/shm"))},
	{name: "lend-directory", lie: lendThis(page64K, func() (*os.File, error) { return os.Open("/") })},
	{name: "lend-device", lie: lendThis(page64K, func() (*os.File, error) { return os.OpenFile("/dev/zero", os.O_RDWR, 0) })},
	{name: "lend-socket", lie: func(l *lyingClient) error {
		f, err := l.conn.File()
		if err != nil {
			return err
		}
		return l.lendAndUse(page64K, f)
	}},
	{name: "lend-listener", lie: lendThis(page64K, func() (*os.File, error) {
		s, err := net.ListenTCP("tcp", nil)
		if err != nil {
			return nil, err
		}
		return s.File()
	})},
	// The last one to close this socket would wait an hour for it to be sent.
	{name: "lend-lingering-socket", lie: func(l *lyingClient) error {
		f, err := lingering()
		if err != nil {
			return err
		}
		if err := l.send(msgLend, encode(lend{Region: 1, Size: page64K}), f); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		_, err = l.next()
		return err
	}},
	{name: "lend-huge-pages", lie: func(l *lyingClient) error {
		const size = 2 << 20
		f, err := memfdOf(unix.MFD_HUGETLB, size, sealSize)
		if err != nil {
			fmt.Println("log this system has no huge pages to lend:", err)
			return errEnded
		}
		return l.lendAndUse(size, f)
	}},

	// Of the right kind, but without the seals that forbid a change of size.
	{name: "lend-unsealed", lie: lendThis(page64K, sealed(page64K, 0))},
	{name: "lend-may-grow", lie: lendThis(page64K, sealed(page64K, sealShrink))},
	{name: "lend-may-shrink", lie: lendThis(page64K, sealed(page64K, sealGrow))},
	{name: "lend-then-shrink", lie: func(l *lyingClient) error {
		f, err := memfd(page64K, 0)
		if err != nil {
			return err
		}
		answer, err := l.lend(page64K, f)
		if err != nil {
			return err
		}
		if answer.Refuse.Code != 0 {
			return errors.New(answer.Refuse.Text)
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
		return with(func(f *requestFields) { f.region, f.bodyLen = 1, page64K })(l)
	}},
	// What has been lent in good order stays as it is.
	{name: "lend-change-later", want: served, lie: func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		for _, size := range []int64{0, 4096, 2 * page64K} {
			if err := f.Truncate(size); !errors.Is(err, unix.EPERM) {
				return fmt.Errorf("ftruncate to %d: %w, want EPERM", size, err)
			}
		}
		if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("sealing against writing: %w, want EPERM", err)
		}
		const punch = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
		if err := unix.Fallocate(int(f.Fd()), punch, 0, page64K); err != nil {
			return err
		}
		return with(func(f *requestFields) { f.region, f.bodyLen = 1, page64K })(l)
	}},
	// Seals that were not asked for, and descriptors for reading only, are of no
	// use to the server. It says so.
	{name: "lend-sealed-against-writing", want: served, lie: func(l *lyingClient) error {
		f, err := memfd(page64K, sealShrink|sealGrow|unix.F_SEAL_WRITE)
		if err != nil {
			return err
		}
		return l.lendRefused(page64K, f)
	}},
	{name: "lend-read-only", want: served, lie: func(l *lyingClient) error {
		f, err := readOnly(page64K)
		if err != nil {
			return err
		}
		return l.lendRefused(page64K, f)
	}},

	// A frame of no bytes reads like the end of file, but can bring descriptors.
	{name: "descriptor-with-nothing", cause: errNone, lie: func(l *lyingClient) error {
		f, err := notMemory()
		if err != nil {
			return err
		}
		return l.raw(nil, f)
	}},
	{name: "two-descriptors-with-nothing", cause: errNone, lie: func(l *lyingClient) error {
		f, err := notMemory()
		if err != nil {
			return err
		}
		return l.raw(nil, f, f)
	}},
}

var neverReads *net.TCPConn

// lingering opens a TCP socket with data that its other end, which only exists
// here, does not read.
func lingering() (*os.File, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	c, err := net.DialTCP("tcp", nil, listener.Addr().(*net.TCPAddr))
	if err != nil {
		return nil, err
	}
	if neverReads, err = listener.AcceptTCP(); err != nil {
		return nil, err
	}
	if err := c.SetLinger(3600); err != nil {
		return nil, err
	}
	if err := c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		return nil, err
	}
	if _, err := c.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("all is sent: %w", err)
	}
	f, err := c.File()
	if err != nil {
		return nil, err
	}
	return f, c.Close()
}
