package instance_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/pe"
)

func init() { roles["counted"] = counted }

// counted is an instance of a program that counts itself. It says how many there are when
// it begins, and again whenever it is told something; it leaves the count when it is told "close".
func counted([]string) error {
	c, err := instance.InImage()
	if err != nil {
		return err
	}
	fmt.Println("number", c.Number)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if in.Text() == "close" {
			c.Close()
			c.Close()
		}
		fmt.Println("now", c.Now())
	}
	return nil
}

// The test's own program, with the section that it lacks, counts its processes.
func TestInImage(t *testing.T) {
	_, err := instance.InImage()
	if !errors.Is(err, pe.ErrNoSection) || !strings.Contains(err.Error(), "pe add") {
		t.Errorf("without the section: %v", err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "counted.exe")
	if err := pe.AddSection(program, path, pe.NewSection{Name: instance.ImageSection, Size: 4}, pe.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	start := func(want string) *proctest.Process {
		p := proctest.StartAs(t, func(cmd *exec.Cmd) { cmd.Path = path }, "counted")
		if said := p.Expect("number "); said != want {
			t.Errorf("it is number %s, want %s", said, want)
		}
		return p
	}
	now := func(p *proctest.Process, word, want string) {
		t.Helper()
		p.Say("%s", word)
		if said := p.Expect("now "); said != want {
			t.Errorf("there are %s, want %s", said, want)
		}
	}
	one, two, three := start("1"), start("2"), start("3")
	now(one, "look", "3")
	now(two, "close", "2") // twice, and counted once
	three.Kill()           // who is killed stays in the count
	_ = three.Wait()
	now(one, "look", "2")
	four := start("3")
	for _, p := range []*proctest.Process{one, two, four} {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	if err := start("1").Wait(); err != nil { // until nobody has the file
		t.Error(err)
	}
}
