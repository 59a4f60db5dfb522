package backing

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/region"
)

func TestMain(m *testing.M) {
	proctest.Main(m, proctest.Roles{
		"participant": participant,
		"identity":    identityRole,
		"come and go": func(args []string) error {
			fmt.Println("ready")
			fmt.Println("wrong:", comeAndGo(ground{args[0], args[1]}))
			return nil
		},
	})
}

// The anchor of these tests, in files and in views.
const (
	testBuilder = 136
	testNonce   = 152
	testBell    = 256
	testTable   = 384
	testStride  = 32
	testNumbers = 8
	testAnchor  = testTable + testNumbers*testStride
	viewBytes   = 64 << 10
)

// A ground says what the processes of a test have in common.
type ground struct{ kind, where string }

// everywhere runs a test on files and on a view, and checks that nothing stays.
func everywhere(t *testing.T, test func(t *testing.T, g ground)) {
	for _, kind := range []string{"files", "view"} {
		t.Run(kind, func(t *testing.T) {
			leaks := proctest.Watch(t)
			g := ground{kind, "test"}
			if kind == "view" {
				g.where = filepath.Join(t.TempDir(), "view")
				if err := os.WriteFile(g.where, make([]byte, viewBytes), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() {
				leaks.Check()
				left, _ := filepath.Glob(filepath.Join(os.Getenv("PARTYWALL_DIR"), "*"))
				for _, file := range left {
					t.Errorf("left behind: %s", file)
				}
			})
			test(t, g)
		})
	}
}

// open opens a backing with the name lock, and formats it if nobody has.
func (g ground) open(ctx context.Context) (b Backing, done func(), err error) {
	if g.kind == "files" {
		f, err := OpenFiles(ctx, Place{}, g.where, true)
		if err != nil {
			return nil, nil, err
		}
		b, done = f, func() { f.Close() }
	} else {
		file, err := os.OpenFile(g.where, os.O_RDWR, 0)
		if err != nil {
			return nil, nil, err
		}
		defer file.Close()
		r, err := region.MapFile(file, viewBytes, false)
		if err != nil {
			return nil, nil, err
		}
		v, err := OpenView(ctx, r.Bytes(), ViewLayout{
			Anchor: testAnchor, Builder: testBuilder, Table: testTable, Stride: testStride, Nonce: testNonce,
		})
		if err != nil {
			r.Close()
			return nil, nil, err
		}
		b, done = v, func() { v.Close(); r.Close() }
	}
	if b.Anchor() == nil || word(b, 0).Load() == 0 {
		if err := b.Format(testAnchor); err != nil {
			done()
			return nil, nil, err
		}
		word(b, 0).Store(1)
	}
	return b, done, nil
}

// must opens a backing of this process's, and gives the name lock back. destroy ends it, as the last one does.
func (g ground) must(t *testing.T) (b Backing, destroy func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	b, done, err := g.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b.Unlock()
	var once sync.Once
	destroy = func() {
		once.Do(func() {
			lock(t, b)
			b.Release()
			if b.Anyone() {
				t.Error("somebody is there still")
			}
			if err := b.Destroy(); err != nil {
				t.Error(err)
			}
			b.Unlock()
			done()
		})
	}
	t.Cleanup(destroy)
	return b, destroy
}

func lock(t *testing.T, b Backing) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	if err := b.Lock(ctx); err != nil {
		t.Fatal(err)
	}
}

// claim claims a number, which somebody may just be asking about.
func claim(t *testing.T, b Backing, number int) bool {
	t.Helper()
	lock(t, b)
	defer b.Unlock()
	ok, err := b.Claim(number)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func word(b Backing, at int) *atomic.Uint64 { return region.At[atomic.Uint64](b.Anchor(), at) }
func bell(b Backing) *atomic.Uint32         { return region.At[atomic.Uint32](b.Anchor(), testBell) }

// sleepers is how many goroutines of a number may sleep.
func sleepers(b Backing, number int) *atomic.Uint32 {
	return region.At[atomic.Uint32](b.Anchor(), testTable+number*testStride+24)
}

// start starts a process that does with a backing what it is told, by the names of its methods. It begins
// with the name lock.
func (g ground) start(t *testing.T) *proctest.Process {
	t.Helper()
	p := proctest.Start(t, "participant", g.kind, g.where)
	p.Expect("ready")
	return p
}

// ask has a process do something, and returns what comes of it.
func ask(p *proctest.Process, format string, args ...any) string {
	p.Say(format, args...)
	return p.Expect("= ")
}

func participant(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	b, done, err := ground{args[0], args[1]}.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	fmt.Println("ready")
	number := -1
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		command, rest, _ := strings.Cut(lines.Text(), " ")
		var n int
		fmt.Sscan(rest, &n)
		var answer any = "done"
		switch command {
		case "lock":
			answer = b.Lock(ctx)
		case "unlock":
			b.Unlock()
		case "claim":
			if answer, err = b.Claim(n); err != nil {
				return err
			}
			number = n
		case "release":
			b.Release()
		case "alive":
			answer = b.Alive(n)
		case "anyone":
			answer = b.Anyone()
		case "map":
			r, err := b.Open(uint64(n), false)
			if err != nil {
				return err
			}
			defer r.Close()
			answer = r.Bytes()[0]
		case "follow":
			follow(b, number, n)
		case "flicker":
			go func() {
				for range time.Tick(100 * time.Microsecond) {
					b.Alive(n)
					b.Anyone()
				}
			}()
		default:
			return fmt.Errorf("what is %q?", command)
		}
		fmt.Println("=", answer)
	}
	return nil
}

// follow has goroutines wait for each step of the bell, and says which they have all reached.
func follow(b Backing, number, goroutines int) {
	sleepers(b, number).Store(uint32(goroutines))
	reached := make(chan uint32, goroutines)
	for range goroutines {
		go func() {
			for known := uint32(0); ; {
				seen := bell(b).Load()
				if seen == known {
					b.Sleep(bell(b), seen, number)
					continue
				}
				known = seen
				reached <- seen
			}
		}()
	}
	go func() {
		for {
			// The bell rings again only when all have said so.
			var step uint32
			for range goroutines {
				step = <-reached
			}
			fmt.Println("at", step)
		}
	}()
}
