package call_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/proctest"
)

func init() { call.RegisterRole("access race", accessRace) }

// accessRace listens whenever it is told to, from several goroutines at once:
// "try name" on its standard input, and "drop" to give the name back.
func accessRace([]string) error {
	var held *call.Server
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "drop" {
			if held != nil {
				held.Close()
				held = nil
			}
			fmt.Println("dropped")
			continue
		}
		name := strings.TrimPrefix(lines.Text(), "try ")
		results := make(chan rivalry)
		const rivals = 3
		for range rivals {
			go func() {
				srv, err := call.Listen(name)
				results <- rivalry{srv, err}
			}()
		}
		won := 0
		for range rivals {
			switch r := <-results; {
			case r.err == nil:
				held = r.srv
				won++
			case !errors.Is(r.err, partywall.ErrRunning) || !strings.Contains(r.err.Error(), name):
				return r.err
			}
		}
		fmt.Println("won", won)
	}
	return nil
}

type rivalry struct {
	srv *call.Server
	err error
}

// Of the processes that race for a name one gets it, whether it was free, is
// given back, or belonged to a server that was killed.
func TestAccessRaceForAName(t *testing.T) {
	dir := runDir(t)
	var rivals []*proctest.Process
	for range 6 {
		rivals = append(rivals, proctest.Start(t, "access race"))
	}
	race := func(name string) (winner int) {
		t.Helper()
		for _, p := range rivals {
			p.Say("try %s", name)
		}
		winner, winners := -1, 0
		for i, p := range rivals {
			switch got := p.Line(); got {
			case "won 0":
			case "won 1":
				winner = i
				winners++
			default:
				t.Fatalf("one process: %s", got)
			}
		}
		if winners != 1 {
			t.Fatalf("%d processes have the name %q", winners, name)
		}
		return winner
	}
	var lock os.FileInfo
	for i := range 30 {
		name := "race.new." + fmt.Sprint(i)
		if i%2 == 0 {
			name = "race.again"
		}
		w := race(name)
		if again, err := os.Stat(filepath.Join(dir, stem("race.again")+".lock")); err != nil || lock != nil && !os.SameFile(lock, again) {
			t.Fatalf("the lock file was replaced: %v", err)
		} else {
			lock = again
		}
		rivals[w].Say("drop")
		rivals[w].Expect("dropped")
	}
	for len(rivals) > 1 {
		w := race("race.killed")
		rivals[w].Kill()
		_ = rivals[w].Wait()
		rivals = append(rivals[:w], rivals[w+1:]...)
	}
}

// stem is how the files of a name are called.
func stem(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:12])
}

// A killed server leaves a socket that nobody listens at, which is no service,
// and a name that is free at once. Its lock file stays.
func TestAccessNameOfAKilledServer(t *testing.T) {
	dir := runDir(t)
	lock := filepath.Join(dir, stem(accessName)+".lock")
	var before os.FileInfo
	for range 10 {
		p := proctest.Start(t, "access serve", accessName)
		if got := p.Line(); got != "ok" {
			t.Fatalf("listening after a killed server: %s", got)
		}
		if srv, err := call.Listen(accessName); !errors.Is(err, partywall.ErrRunning) {
			t.Fatalf("listening beside a server: %v, %v", srv, err)
		}
		p.Kill()
		_ = p.Wait()

		if c, err := call.Dial(t.Context(), accessName); !errors.Is(err, partywall.ErrNotFound) {
			t.Fatalf("dialling a killed server: %v, %v", c, err)
		}
		socketOf(t, dir) // it was there to be dialled
		srv, err := call.Listen(accessName)
		if err != nil {
			t.Fatalf("the first try to listen after a killed server: %v", err)
		}
		srv.Close()
		after, err := os.Stat(lock)
		if err != nil || before != nil && !os.SameFile(before, after) {
			t.Fatalf("the lock file was replaced: %v", err)
		}
		before = after
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 || left[0] != lock {
		t.Errorf("left in the run directory: %q, %v", left, err)
	}
}

// Close frees the name at once, even if this process is just starting others,
// which share its open files for a moment.
func TestAccessNameWhileProcessesStart(t *testing.T) {
	runDir(t)
	stop := make(chan struct{})
	var starting sync.WaitGroup
	defer starting.Wait()
	defer close(stop)
	for range 4 {
		starting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = exec.Command("/proc/self/exe", "-test.run=^$").Run()
				}
			}
		})
	}
	for i := range 2000 {
		srv, err := call.Listen(accessName)
		if err != nil {
			t.Errorf("listening again after Close, the %dth time: %v", i, err)
			return
		}
		srv.Close()
	}
}

// A socket that lies where another name's belongs is found out by the true name
// in the handshake.
func TestAccessWrongName(t *testing.T) {
	dir := runDir(t)
	complaints := serveAccess(t)
	if err := os.Rename(socketOf(t, dir), filepath.Join(dir, stem("access.other")+".sock")); err != nil {
		t.Fatal(err)
	}
	c, err := call.Dial(t.Context(), "access.other")
	if !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), `"access"`) || !strings.Contains(err.Error(), `"access.other"`) {
		t.Errorf("dialling through a wrong socket: %v, %v", c, err)
	}
	if err := <-complaints; !errors.Is(err, partywall.ErrNotFound) {
		t.Errorf("the server says: %v", err)
	}
	if c, err := call.Dial(t.Context(), accessName); !errors.Is(err, partywall.ErrNotFound) {
		t.Errorf("dialling a name whose socket has gone: %v, %v", c, err)
	}
}

// A lock file that is a link is not followed.
func TestAccessPlantedLock(t *testing.T) {
	dir := runDir(t)
	target := filepath.Join(t.TempDir(), "target")
	if err := os.Symlink(target, filepath.Join(dir, stem(accessName)+".lock")); err != nil {
		t.Fatal(err)
	}
	srv, err := call.Listen(accessName)
	if !errors.Is(err, syscall.ELOOP) {
		t.Errorf("listening with a link for a lock: %v, %v", srv, err)
	}
	if _, err := os.Lstat(target); err == nil {
		t.Errorf("the link was followed")
	}
}
