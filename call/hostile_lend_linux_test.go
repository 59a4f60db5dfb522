package call

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lendThis lends what open opens, announcing size bytes.
func lendThis(size uint64, open func() (*os.File, error)) func(*lyingClient) error {
	return func(l *lyingClient) error {
		f, err := open()
		if err != nil {
			return err
		}
		return l.lendAndUse(size, f)
	}
}

// memory opens a memfd of that size with those seals.
func memory(size int64, seals int) func() (*os.File, error) {
	return func() (*os.File, error) { return memfd(size, seals) }
}

func file(dir string) func() (*os.File, error) {
	return func() (*os.File, error) { return onDisk(dir, page64K) }
}

// lendLies are lies with descriptors.
var lendLies = []clientLie{
	{name: "lend-no-lie", want: served, lie: lendThis(page64K, memory(page64K, sealSize))},
	{name: "lend-no-descriptor", lie: func(l *lyingClient) error {
		_, err := l.lend(page64K)
		return err
	}},
	{name: "lend-two-descriptors", lie: func(l *lyingClient) error {
		a, err := memfd(page64K, sealSize)
		if err != nil {
			return err
		}
		return l.lendAndUse(page64K, a, a)
	}},
	{name: "lend-many-descriptors", lie: func(l *lyingClient) error {
		a, err := memfd(page64K, sealSize)
		if err != nil {
			return err
		}
		return l.lendAndUse(page64K, a, a, a, a, a, a, a, a)
	}},

	// Of the wrong kind.
	{name: "lend-pipe", lie: lendThis(page64K, pipeEnd)},
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
	{name: "lend-unsealed", lie: lendThis(page64K, memory(page64K, 0))},
	{name: "lend-may-grow", lie: lendThis(page64K, memory(page64K, sealShrink))},
	{name: "lend-may-shrink", lie: lendThis(page64K, memory(page64K, sealGrow))},
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

	// Of another size than announced, or than is legal.
	{name: "lend-smaller", lie: lendThis(2*page64K, memory(page64K, sealSize))},
	{name: "lend-empty", lie: lendThis(page64K, memory(0, sealSize))},
	{name: "lend-larger", lie: lendThis(page64K, memory(2*page64K, sealSize))},
	{name: "lend-size-zero", lie: lendThis(0, memory(0, sealSize))},
	{name: "lend-size-no-pages", lie: lendThis(page64K+1, memory(page64K+1, sealSize))},
	{name: "lend-size-negative", lie: lendThis(1<<63, memory(page64K, sealSize))},
	{name: "lend-size-huge", lie: lendThis(math.MaxUint64, memory(page64K, sealSize))},
	{name: "lend-over-quota", want: served, lie: func(l *lyingClient) error {
		size := int64(l.welcome.Quota) + page64K
		f, err := memfd(size, sealSize)
		if err != nil {
			return err
		}
		return l.lendRefused(uint64(size), f)
	}},
	{name: "lend-over-quota-in-parts", want: served, lie: func(l *lyingClient) error {
		size := int64(l.welcome.Quota) / 2
		for range 2 {
			if _, err := l.lendHonest(size); err != nil {
				return err
			}
		}
		f, err := memfd(page64K, sealSize)
		if err != nil {
			return err
		}
		if err := l.lendRefused(page64K, f); err != nil {
			return err
		}
		if err := l.send(msgUnlend, encode(unlend{Region: 1})); err != nil {
			return err
		}
		_, err = l.lendHonest(page64K)
		return err
	}},

	// Out of turn.
	{name: "lend-number-skipped", lie: func(l *lyingClient) error {
		l.regions = 1
		return lendThis(page64K, memory(page64K, sealSize))(l)
	}},
	{name: "lend-number-twice", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		l.regions--
		return lendThis(page64K, memory(page64K, sealSize))(l)
	}},
	{name: "lend-number-zero", lie: func(l *lyingClient) error {
		l.regions = math.MaxUint32
		return lendThis(page64K, memory(page64K, sealSize))(l)
	}},
	{name: "unlend-never-lent", lie: func(l *lyingClient) error {
		return l.send(msgUnlend, encode(unlend{Region: 1}))
	}},
	{name: "unlend-zero", lie: func(l *lyingClient) error {
		return l.send(msgUnlend, encode(unlend{}))
	}},
	{name: "unlend-twice", lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		if err := l.send(msgUnlend, encode(unlend{Region: 1})); err != nil {
			return err
		}
		return l.send(msgUnlend, encode(unlend{Region: 1}))
	}},

	// Descriptors where none belongs. The victim's are counted after each attack.
	{name: "descriptor-with-ring", lie: func(l *lyingClient) error { return l.sendWithPipe(msgRing, nil) }},
	{name: "descriptor-with-cancel", lie: func(l *lyingClient) error {
		return l.sendWithPipe(msgCancel, encode(cancellation{}))
	}},
	{name: "descriptor-with-unknown", lie: func(l *lyingClient) error { return l.sendWithPipe(99, nil) }},
	{name: "descriptor-on-second-page", lie: func(l *lyingClient) error {
		if err := l.raw(frame(msgResolve, true, make([]byte, framePayload))); err != nil {
			return err
		}
		return l.sendWithPipe(msgResolve, []byte("end"))
	}},
	{name: "descriptor-with-unfinished", cause: errNone, lie: func(l *lyingClient) error {
		f, err := pipeEnd()
		if err != nil {
			return err
		}
		if err := l.raw(frame(msgLend, true, []byte("and more")), f); err != nil {
			return err
		}
		return l.leave()
	}},
	{name: "descriptor-with-garbage", lie: func(l *lyingClient) error {
		f, err := pipeEnd()
		if err != nil {
			return err
		}
		return l.raw([]byte("garbage"), f)
	}},
	{name: "descriptor-with-oversized", lie: func(l *lyingClient) error {
		f, err := pipeEnd()
		if err != nil {
			return err
		}
		return l.raw(frame(msgLend, false, make([]byte, 2*framePayload)), f)
	}},
	// A frame of no bytes reads like the end of file, but can bring descriptors.
	{name: "descriptor-with-nothing", cause: errNone, lie: func(l *lyingClient) error {
		f, err := pipeEnd()
		if err != nil {
			return err
		}
		return l.raw(nil, f)
	}},
	{name: "two-descriptors-with-nothing", cause: errNone, lie: func(l *lyingClient) error {
		f, err := pipeEnd()
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

// sendWithPipe sends a message that takes no descriptor with one.
func (l *lyingClient) sendWithPipe(kind uint8, payload []byte) error {
	f, err := pipeEnd()
	if err != nil {
		return err
	}
	return l.send(kind, payload, f)
}

// leave ends the conn by itself, which is no lie.
func (l *lyingClient) leave() error {
	if err := l.conn.Close(); err != nil {
		return err
	}
	return errEnded
}
