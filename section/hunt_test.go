package section_test

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

// The hunt: writers that are killed at random, readers and watchers that check what they see. All
// words of a value follow from its first ones, so that a mixture of two values shows.
var (
	huntTime  = flag.Duration("hunt", 5*time.Second, "how long each hunt lasts")
	huntKills = flag.Int("hunt.kills", 20, "how many writers each hunt kills")
	huntSeed  = flag.Uint64("hunt.seed", 0, "the seed of the hunts; 0 takes one at random")
)

// hang is how long a reader or a watcher may be without a value that there is.
const hang = 5 * time.Second

// The values of the hunts: 64 bytes, 4 KiB, 1 MiB.
type (
	small  [8]uint64
	medium [512]uint64
	large  [131072]uint64
)

// The first words of a value.
const (
	wordCount = iota // how many updates there were
	wordFrom         // who made this one
	wordTime         // when: nanoseconds since 1970
	wordFirst        // the first that follows from the others
)

func wordAt(v []uint64, i int) uint64 {
	return (v[wordCount]*0x9e3779b97f4a7c15 ^ v[wordFrom]<<32 ^ v[wordTime]) + uint64(i)
}

func fill(v []uint64) {
	for i := wordFirst; i < len(v); i++ {
		v[i] = wordAt(v, i)
	}
}

// mixed returns the first word that does not belong to the others, or -1. A value that nobody
// has stored is all zeros.
func mixed(v []uint64) int {
	for i := wordFirst; i < len(v); i++ {
		if v[i] != wordAt(v, i) && (v[wordFrom] != 0 || v[i] != 0) {
			return i
		}
	}
	return -1
}

// A prey is what a hunt is about: one of the sizes.
type prey struct {
	write func(name, counter string, from, seed uint64) error
	read  func(name string) error
	watch func(name string) error
	last  func(t *testing.T, name string) (count, version uint64)
}

func preyOf[T any](words func(*T) []uint64) prey {
	return prey{
		write: func(name, counter string, from, seed uint64) error {
			return huntWriter(name, counter, from, seed, words)
		},
		read:  func(name string) error { return huntReader(name, words) },
		watch: func(name string) error { return huntWatcher(name, words) },
		last: func(t *testing.T, name string) (uint64, uint64) {
			s, err := section.Open[T](name, section.ReadOnly())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			v := new(T)
			version, err := s.LoadTo(v)
			if err != nil {
				t.Fatal(err)
			}
			return words(v)[wordCount], version
		},
	}
}

var preys = map[string]prey{
	"64":      preyOf(func(v *small) []uint64 { return v[:] }),
	"4096":    preyOf(func(v *medium) []uint64 { return v[:] }),
	"1048576": preyOf(func(v *large) []uint64 { return v[:] }),
}

func huntRole(args []string) error {
	p, name := preys[args[1]], args[2]
	switch args[0] {
	case "write":
		from, _ := strconv.ParseUint(args[4], 10, 64)
		seed, _ := strconv.ParseUint(args[5], 10, 64)
		return p.write(name, args[3], from, seed)
	case "read":
		return p.read(name)
	case "watch":
		return p.watch(name)
	}
	return fmt.Errorf("no role %q", args)
}

// huntWriter updates until its input ends, in bursts, so that watchers sleep now and then. It counts in
// a file what it has completed: at most the last is not counted when it is killed.
func huntWriter[T any](name, counter string, from, seed uint64, words func(*T) []uint64) error {
	s, err := section.Open[T](name)
	if err != nil {
		return err
	}
	defer s.Close()
	f, err := os.OpenFile(counter, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	random := rand.New(rand.NewPCG(seed, from))
	ctx, stop := untilInputEnds()
	defer stop()
	fmt.Println("ready")
	var done [8]byte
	for n := uint64(1); ctx.Err() == nil; n++ {
		err := s.Update(ctx, func(v *T) error {
			w := words(v)
			if i := mixed(w); i >= 0 {
				return fmt.Errorf("an update has got a mixture: word %d of update %d", i, w[wordCount])
			}
			w[wordCount]++
			w[wordFrom], w[wordTime] = from, uint64(time.Now().UnixNano())
			fill(w)
			return nil
		})
		if ctx.Err() != nil {
			// Whether the last was stored is not known, as for one that is killed.
			break
		}
		if err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(done[:], n)
		if _, err := f.WriteAt(done[:], 0); err != nil {
			return err
		}
		if random.IntN(200) == 0 {
			time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
		}
	}
	return nil
}

// huntReader loads until its input ends.
func huntReader[T any](name string, words func(*T) []uint64) error {
	s, err := section.Open[T](name, section.ReadOnly())
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, stop := untilInputEnds()
	defer stop()
	fmt.Println("ready")
	var seen progress
	defer seen.guard("a reader", func() (uint64, error) { return 0, nil })()
	v := new(T)
	for ctx.Err() == nil {
		began := time.Now()
		version, err := s.LoadTo(v)
		if err != nil {
			return err
		}
		if err := seen.check(version, words(v), time.Since(began)); err != nil {
			return err
		}
	}
	fmt.Println("report", seen.report("loads"))
	return nil
}

// huntWatcher watches until its input ends, and says then which version it has seen last.
func huntWatcher[T any](name string, words func(*T) []uint64) error {
	s, err := section.Open[T](name)
	if err != nil {
		return err
	}
	defer s.Close()
	other, err := section.Open[T](name)
	if err != nil {
		return err
	}
	defer other.Close()
	ctx, stop := untilInputEnds()
	defer stop()
	fmt.Println("ready")
	var seen progress
	newest := new(T)
	defer seen.guard("a watcher", func() (uint64, error) { return other.LoadTo(newest) })()
	var total uint64
	for c, err := range s.Watch(ctx) {
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		last := seen.version.Load()
		if c.Version <= last {
			return fmt.Errorf("a watcher has got version %d after %d", c.Version, last)
		}
		if last != 0 && c.Skipped != c.Version-last-1 {
			return fmt.Errorf("version %d comes after %d, and says that %d were skipped", c.Version, last, c.Skipped)
		}
		w := words(&c.Value)
		if err := seen.check(c.Version, w, time.Since(time.Unix(0, int64(w[wordTime])))); err != nil {
			return err
		}
		total++
	}
	fmt.Println("last", seen.version.Load())
	fmt.Println("report", seen.report("changes"))
	return nil
}

// untilInputEnds returns a context that ends with the standard input.
func untilInputEnds() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_, _ = os.Stdin.Read(make([]byte, 1))
	}()
	return ctx, cancel
}

func TestHunt(t *testing.T) {
	for size := range preys {
		kills := *huntKills
		if slow {
			kills = min(kills, 3)
		}
		t.Run(size, func(t *testing.T) { hunt(t, size, *huntTime, kills) })
	}
}

func hunt(t *testing.T, size string, lasts time.Duration, kills int) {
	seed := *huntSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	fmt.Printf("hunt: %s bytes, seed %d\n", size, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	name, dir := "hunt/"+size, t.TempDir()
	leaks := proctest.Watch(t)

	counters, from := []string{}, uint64(0)
	write := func() *proctest.Process {
		from++
		counter := filepath.Join(dir, strconv.FormatUint(from, 10))
		counters = append(counters, counter)
		p := proctest.Start(t, "hunt", "write", size, name, counter, strconv.FormatUint(from, 10), strconv.FormatUint(random.Uint64(), 10))
		p.Expect("ready")
		return p
	}
	writers := []*proctest.Process{write(), write()}
	var readers, watchers []*proctest.Process
	for range 4 {
		readers = append(readers, proctest.Start(t, "hunt", "read", size, name))
	}
	for range 2 {
		watchers = append(watchers, proctest.Start(t, "hunt", "watch", size, name))
	}
	for _, p := range append(readers, watchers...) {
		p.Expect("ready")
	}

	// The pauses between the kills are of random length, and together as long as the hunt.
	killed := 0
	for end := time.Now().Add(lasts); killed < kills; {
		mean := max(float64(time.Until(end)), float64(lasts)/100) / float64(kills-killed+1)
		time.Sleep(time.Duration(random.Float64() * 2 * mean))
		i := random.IntN(len(writers))
		writers[i].Kill()
		writers[i].Wait()
		killed++
		writers[i] = write()
	}
	for _, p := range writers {
		p.Say("end")
		if err := p.Wait(); err != nil {
			t.Errorf("a writer: %v", err)
		}
	}
	final, version := preys[size].last(t, name)
	// The writers rest: every watcher gets the last version.
	for _, p := range watchers {
		p.Expect(fmt.Sprintf("seen %d.", version))
		p.Say("end")
	}
	for _, p := range readers {
		p.Say("end")
	}
	for _, p := range append(readers, watchers...) {
		fmt.Printf("hunt: %s bytes: %s\n", size, p.Expect("report"))
		if err := p.Wait(); err != nil {
			t.Errorf("%v", err)
		}
	}
	var completed uint64
	for _, counter := range counters {
		if b, err := os.ReadFile(counter); err == nil && len(b) == 8 {
			completed += binary.LittleEndian.Uint64(b)
		}
	}
	fmt.Printf("hunt: %s bytes: %d killed, %d updates, %d of them completed, version %d\n", size, killed, final, completed, version)
	// Of each writer one update may have taken effect that it has not counted.
	if final < completed || final > completed+uint64(len(counters)) {
		t.Errorf("%d updates were completed by %d writers, and the value counts %d", completed, len(counters), final)
	}
	if version != final {
		t.Errorf("version %d of a value that was updated %d times", version, final)
	}
	leaks.Check()
	if files, _ := filepath.Glob(filepath.Join(os.Getenv("PARTYWALL_DIR"), "*")); len(files) != 0 && !t.Failed() {
		t.Errorf("left behind: %s", strings.Join(files, ", "))
	}
}
