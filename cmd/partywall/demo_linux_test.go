package main

import (
	"fmt"
	"image/png"
	"os"
	"syscall"
	"testing"
	"time"
)

// An interrupted demo ends in order, whichever step the signal meets: in memory that is
// leased, in the call, or in the file that is written. When it comes is left to the
// machine; how the demo ends is not.
func TestDemoInterruptedAnywhere(t *testing.T) {
	catch(t)
	for i := range 12 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Chdir(t.TempDir())
			p := startProgram(t, "demo", "--width", "1600", "--height", "1200", "-o", "difference.png")
			p.server()
			time.Sleep(time.Duration(i) * 30 * time.Millisecond)
			_ = syscall.Kill(p.Process.Pid, syscall.SIGINT) // which may have ended
			status := p.end()
			p.leavesNothing()
			files := filesIn(".")
			switch {
			case status == 0 && p.stderr.Len() == 0 && len(files) == 1:
				checkPNG(t, files[0])
			case status != 1 || p.stderr.String() != "partywall: interrupted\n" || p.stdout.Len() > 0:
				t.Errorf("exit status %d, it says %q and prints %q", status, &p.stderr, &p.stdout)
			case len(files) == 1: // interrupted once it was written
				checkPNG(t, files[0])
			case len(files) > 1:
				t.Errorf("left behind: %q", files)
			}
		})
	}
}

func checkPNG(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if m, err := png.Decode(file); err != nil || m.Bounds().Dx() != 1600 || m.Bounds().Dy() != 1200 {
		t.Errorf("%s is no image of the differences: %v", path, err)
	}
}
