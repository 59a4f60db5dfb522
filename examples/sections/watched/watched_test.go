package watched

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

var roles = proctest.Roles{"answer": answerRole}

func TestMain(m *testing.M) { proctest.Main(m, roles) }

// answerRole answers until its input ends.
func answerRole(args []string) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		cancel()
	}()
	data := Data{From: int32(os.Getpid())}
	fmt.Sscan(args[1], &data.Value)
	return Answer(ctx, args[0], data, func() error { _, err := fmt.Println("ready"); return err })
}

// Whether the others are up before Test is pressed or come after it, both answer.
func TestArticleB(t *testing.T) {
	leaks := proctest.Watch(t)
	ctx, cancel := context.WithTimeout(context.Background(), proctest.Watchdog)
	defer cancel()
	a := proctest.Start(t, "answer", "a", "10")
	a.Expect("ready")
	b := proctest.Start(t, "answer", "b", "20") // perhaps later
	for range 3 {
		responses, err := Ask(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(responses) != 2 || responses[0].String() != "A response ,the data is :10" || responses[1].String() != "B response ,the data is :20" {
			t.Fatalf("%v", responses)
		}
		if responses[0].Data.From != int32(a.PID()) || responses[1].Data.From != int32(b.PID()) {
			t.Errorf("%v of processes %d and %d", responses, a.PID(), b.PID())
		}
	}
	for _, p := range []*proctest.Process{a, b} {
		p.Say("end")
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	leaks.Check()
}

// Who waits for an answer that does not come is told when its context ends.
func TestNobodyAnswers(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := Ask(ctx); err == nil {
		t.Errorf("%v", r)
	}
}
