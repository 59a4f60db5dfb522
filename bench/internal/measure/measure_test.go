package measure

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/process"
	"github.com/partywall/partywall/bench/internal/report"
	"github.com/partywall/partywall/internal/proctest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == process.Argument {
		if err := Child(os.Args[2:], os.Stdin, os.Stdout, find); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	proctest.Main(m, nil)
}

// Every contender echoes rightly between two processes, at each size and by several goroutines.
func TestContenders(t *testing.T) {
	for _, e := range contender.All() {
		t.Run(e.Name, func(t *testing.T) {
			p, err := startPair(t.Context(), e, t.TempDir(), 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.stop(); err != nil {
					t.Error(err)
				}
			}()
			for _, c := range []report.Cell{
				{Size: 1, Goroutines: 1}, {Size: 64, Goroutines: 1}, {Size: 4 << 10, Goroutines: 2}, {Size: 64 << 10, Goroutines: 1},
				{Size: 65<<10 + 3, Goroutines: 1}, {Size: 1 << 20, Goroutines: 2}, {Size: contender.MaxSize, Goroutines: 1},
				{Size: 64, Goroutines: 64}, {Size: 64, Goroutines: 1, Rate: 2000}, {Size: 64, Goroutines: 3, Deadline: true},
			} {
				s, err := p.run(t.Context(), c, 5*time.Millisecond)
				if err != nil {
					t.Fatalf("%v: %v", c, err)
				}
				if s.Calls < 1 || s.P50() <= 0 || c.Rate == 0 && s.Calls < uint64(c.Goroutines) {
					t.Errorf("%v: %+v", c, s)
				}
			}
		})
	}
}

// A server whose answers are wrong in one byte is found out.
func TestWrongAnswers(t *testing.T) {
	for _, name := range []string{"wrong-first", "wrong-last", "stale"} {
		e, _ := find(name)
		p, err := startPair(t.Context(), e, t.TempDir(), 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.run(t.Context(), report.Cell{Size: 10_000, Goroutines: 1}, time.Millisecond)
		if err == nil || !strings.Contains(err.Error(), "wrong answer") {
			t.Errorf("%s: %v", name, err)
		}
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}
}

// find also knows contenders that lie.
func find(name string) (contender.Entry, bool) {
	if spoil := liars[name]; spoil != nil {
		return contender.Entry{Name: name, Title: name, Contender: liar{spoil}}, true
	}
	return contender.Find(name)
}

var liars = map[string]func(arg, result, last []byte){
	"wrong-first": func(_, result, _ []byte) { result[0]++ },
	"wrong-last":  func(_, result, _ []byte) { result[len(result)-1]++ },
	"stale":       func(_, result, last []byte) { copy(result[5000:], last[5000:]) },
}

type liar struct {
	spoil func(arg, result, last []byte)
}

func (liar) Serve(ctx context.Context, _ string, ready func(string)) error {
	ready("here")
	<-ctx.Done()
	return nil
}

func (l liar) Dial(context.Context, string) (contender.Conn, error) { return l, nil }
func (liar) Close() error                                           { return nil }

func (l liar) Caller(size int) (contender.Caller, error) {
	last := make([]byte, size)
	return contender.CallerFunc(func(_ context.Context, arg, result []byte) error {
		contender.Answer(result, arg)
		l.spoil(arg, result, last)
		contender.Answer(last, arg)
		return nil
	}), nil
}

// A client that is killed is an error, and its server ends all the same. A parent that is gone takes its children with
// it, and their files.
func TestDeath(t *testing.T) {
	e, _ := contender.Find(contender.Socket)
	p, err := startPair(t.Context(), e, t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := kill(p.client.PID()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.run(t.Context(), smallCell, time.Millisecond); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("a killed client: %v", err)
	}
	if err := p.stop(); err == nil {
		t.Error("a killed client has ended well")
	}

	dir := filepath.Join(t.TempDir(), "orphan")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], process.Argument, serverRole, contender.Socket, dir, "", "0")
	cmd.Stdin = strings.NewReader(`{"do":"ready"}` + "\n") // and no more
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "socket") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an orphan's files: %v", err)
	}
}

func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

func TestAxes(t *testing.T) {
	all := Axes{Sizes: []int{64, 1 << 20, 16 << 20}, Goroutines: []int{1, 8}, Rates: []float64{1000}, Deadline: true}
	got := all.Cells()
	want := []report.Cell{
		{Size: 64, Goroutines: 1}, {Size: 1 << 20, Goroutines: 1}, {Size: 16 << 20, Goroutines: 1},
		{Size: 64, Goroutines: 8}, {Size: 64, Goroutines: 1, Rate: 1000}, {Size: 64, Goroutines: 1, Deadline: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("cells %v, want %v", got, want)
	}
	all.Cross = true
	got = all.Cells()
	if !slices.Contains(got, report.Cell{Size: 1 << 20, Goroutines: 8}) || slices.Contains(got, report.Cell{Size: 16 << 20, Goroutines: 8}) {
		t.Errorf("crossed cells %v", got)
	}
}

func TestProgress(t *testing.T) {
	var last, total, calls int
	_, err := Run(t.Context(), Plan{
		Settings: report.Settings{Rounds: 2, RoundTime: time.Millisecond, IdleTime: time.Millisecond},
		Cells:    Axes{Sizes: []int{64}, Goroutines: []int{1}, Deadline: true}.Cells(),
		Only:     []string{contender.PartywallCall, contender.Dispatcher},
		Progress: func(done, of int, _ string) {
			if done != calls {
				t.Errorf("step %d is called %d", calls, done)
			}
			last, total, calls = done, of, calls+1
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != total {
		t.Errorf("ended after %d of %d steps", last, total)
	}
}
