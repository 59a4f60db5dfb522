//go:build linux || windows

package call

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

// enough is closed when the victim has had enough of the lie that is told.
var enough chan struct{}

// tellLies is a liar's process: each line of its standard input names a lie, and the next one says that
// the victim has had enough of it.
func tellLies(tell func(name string) error) error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		dog, told := guard(), make(chan error, 1)
		enough = make(chan struct{})
		name := lines.Text()
		go func() { told <- tell(name) }()
		lines.Scan()
		close(enough)
		if err := <-told; err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		dog.Stop()
		fmt.Println("told")
	}
	return nil
}

// liars are processes that tell lies, liesEach of them one after the other: where it takes long to
// start a process, not each lie has its own.
type liars struct {
	t     testing.TB
	role  string
	args  []string
	liar  *proctest.Process
	tells int // so many more
}

// tell has a lie told, and watches what this process holds meanwhile.
func (l *liars) tell(t *testing.T, name string) (*proctest.Process, *holdings) {
	leaks := watchHoldings(t)
	if l.tells == 0 {
		l.close(t)
		l.liar, l.tells = proctest.Start(l.t, l.role, l.args...), liesEach
		if liesEach > 1 {
			leaks = watchHoldings(t)
		}
	}
	l.tells--
	l.liar.Say("%s", name)
	return l.liar, leaks
}

// enough ends a lie.
func (l *liars) enough(t *testing.T) {
	l.liar.Say("enough")
	for line := range l.liar.Lines() {
		if line == "told" {
			break
		}
		t.Log(line)
	}
	if liesEach == 1 || t.Failed() {
		l.close(t)
	}
}

func (l *liars) close(t testing.TB) {
	l.tells = 0
	if l.liar == nil {
		return
	}
	if err := l.liar.Wait(); err != nil {
		t.Errorf("the liar: %v", err)
	}
	l.liar = nil
}
