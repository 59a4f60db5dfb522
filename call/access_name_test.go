//go:build linux || windows

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
	for i := range accessRaces {
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

// A killed server leaves a name that is free at the first try. Its lock file stays.
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
		leftByAServer(t, dir)
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
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
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
					_ = exec.Command(self, "-test.run=^$").Run()
				}
			}
		})
	}
	for i := range accessListens {
		srv, err := call.Listen(accessName)
		if err != nil {
			t.Errorf("listening again after Close, the %dth time: %v", i, err)
			return
		}
		srv.Close()
	}
}
