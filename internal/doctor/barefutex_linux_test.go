package doctor

import (
	"path/filepath"
	"testing"
)

func TestFutex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "futex")
	a, err := OpenFutex(path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := OpenFutex(path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	woken := make(chan int64)
	go func() {
		for seen := uint32(0); seen < 100; seen++ {
			for b.Count() == seen {
				b.Sleep(seen)
			}
			woken <- b.Note()
		}
	}()
	for i := range int64(100) {
		if a.Wake(i); <-woken != i {
			t.Fatalf("wake %d has another note", i)
		}
	}
	a.Stir()
	if _, err := OpenFutex(filepath.Join(path, "x")); err == nil {
		t.Error("a file below a file")
	}
}
