package section_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

// counterType makes up a type that has, at a random place among fields of the pool, a counter of its own
// program and one that all share.
func counterType(random *rand.Rand, program int) reflect.Type {
	t := programType(random, 0)
	var fields []reflect.StructField
	for i := range t.NumField() {
		fields = append(fields, reflect.StructField{Name: t.Field(i).Name, Type: t.Field(i).Type})
	}
	for _, name := range []string{"Mine" + strconv.Itoa(program), "All"} {
		i := random.IntN(len(fields) + 1)
		f := reflect.StructField{Name: name, Type: reflect.TypeFor[uint64]()}
		fields = append(fields[:i], append([]reflect.StructField{f}, fields[i:]...)...)
	}
	return reflect.StructOf(fields)
}

func field(s *fixed.Schema, path string) *fixed.Field {
	for i := range s.Fields {
		if s.Fields[i].Path == path {
			return &s.Fields[i]
		}
	}
	return nil
}

// growRole is a program of a family: it counts in its own field and in the common one, and counts
// in a file what it has completed, until its input ends.
func growRole(args []string) error {
	program, _ := strconv.Atoi(args[1])
	seed, _ := strconv.ParseUint(args[2], 10, 64)
	p, err := section.OpenProgram(args[0], counterType(rand.New(rand.NewPCG(seed, 0)), program))
	if err != nil {
		return err
	}
	defer p.Close()
	f, err := os.OpenFile(args[3], os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	schema := p.Type().Schema()
	mine, all := field(schema, "Mine"+args[1]), field(schema, "All")
	ctx, stop := untilInputEnds()
	defer stop()
	fmt.Println("ready")
	for n := uint64(1); ctx.Err() == nil; n++ {
		if err := p.Update(func(value []byte) {
			for _, f := range []*fixed.Field{mine, all} {
				b := part(value, f)
				binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)+1)
			}
		}); err != nil {
			return err
		}
		var done [8]byte
		binary.LittleEndian.PutUint64(done[:], n)
		if _, err := f.WriteAt(done[:], 0); err != nil {
			return err
		}
	}
	return nil
}

// Programs of several generations update at the same time, while others come that make the section grow, and are
// killed at any moment, the growth itself included: no completed update is lost.
func TestGrowsUnderWay(t *testing.T) {
	seed := *huntSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	fmt.Printf("grow: seed %d\n", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	rounds := 6
	if testing.Short() || slow {
		rounds = 2
	}
	var generations uint64
	for round := range rounds {
		name, dir := fmt.Sprintf("grow/%d", round), t.TempDir()
		// The one that is there from beginning to end has no field but the common one.
		base := reflect.StructOf([]reflect.StructField{{Name: "All", Type: reflect.TypeFor[uint64]()}})
		watching, err := section.OpenProgram(name, base)
		if err != nil {
			t.Fatal(err)
		}
		type runner struct {
			p       *proctest.Process
			program int
			counter string
			killed  bool
		}
		var runners []*runner
		for i := range 12 {
			r := &runner{program: i % 5, counter: filepath.Join(dir, strconv.Itoa(i))}
			r.p = proctest.Start(t, "grow", name, strconv.Itoa(r.program), strconv.FormatUint(random.Uint64(), 10), r.counter)
			runners = append(runners, r)
			time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
			if victim := runners[random.IntN(len(runners))]; random.IntN(2) == 0 && !victim.killed {
				victim.killed = true
				victim.p.Kill()
				victim.p.Wait()
			}
		}
		time.Sleep(100 * time.Millisecond)
		perProgram := map[int][2]uint64{} // completed, and runs
		var completed, runs uint64
		for _, r := range runners {
			if !r.killed {
				r.p.Say("end")
				if err := r.p.Wait(); err != nil {
					t.Errorf("program %d: %v", r.program, err)
				}
			}
			var n uint64
			if b, err := os.ReadFile(r.counter); err == nil && len(b) == 8 {
				n = binary.LittleEndian.Uint64(b)
			}
			sum := perProgram[r.program]
			perProgram[r.program] = [2]uint64{sum[0] + n, sum[1] + 1}
			completed, runs = completed+n, runs+1
		}
		// One that knows all fields looks.
		var fields []reflect.StructField
		for i := range 5 {
			fields = append(fields, reflect.StructField{Name: "Mine" + strconv.Itoa(i), Type: reflect.TypeFor[uint64]()})
		}
		judge, err := section.OpenProgram(name, reflect.StructOf(append(fields, reflect.StructField{Name: "All", Type: reflect.TypeFor[uint64]()})))
		if err != nil {
			t.Fatal(err)
		}
		value := make([]byte, judge.Type().Size())
		version, err := judge.Load(value)
		if err != nil {
			t.Fatal(err)
		}
		within := func(what string, got, completed, runs uint64) {
			t.Helper()
			if got < completed || got > completed+runs {
				t.Errorf("%s is %d after %d completed updates of %d runs", what, got, completed, runs)
			}
		}
		number := func(path string) uint64 {
			return binary.LittleEndian.Uint64(part(value, field(judge.Type().Schema(), path)))
		}
		within("All", number("All"), completed, runs)
		within("the version", version, completed, runs)
		for i := range 5 {
			within("Mine"+strconv.Itoa(i), number("Mine"+strconv.Itoa(i)), perProgram[i][0], perProgram[i][1])
		}
		if version != number("All") {
			t.Errorf("version %d of a value that was updated %d times", version, number("All"))
		}
		base8 := make([]byte, 8)
		if v, err := watching.Load(base8); err != nil || v != version || binary.LittleEndian.Uint64(base8) != number("All") {
			t.Errorf("the first generation sees version %d, %x (%v)", v, base8, err)
		}
		generation, _ := judge.Generation()
		generations += generation
		fmt.Printf("grow: round %d: %d updates by %d runs, generation %d\n", round, number("All"), runs, generation)
		if err := errors.Join(judge.Close(), watching.Close()); err != nil {
			t.Error(err)
		}
	}
	if generations < uint64(2*rounds) {
		t.Errorf("%d generations in %d rounds: nothing grows", generations, rounds)
	}
}
