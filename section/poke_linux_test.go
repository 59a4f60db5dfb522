package section_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// Tests change the words of a section through its files, as a process could that does not keep to the protocol.
// The offsets are those of docs/LAYOUT.md.

// files gives the path of a section's anchor, and of a region behind it.
func files(name string) (anchor string, region func(generation int) string) {
	hash := sha256.Sum256([]byte(name))
	anchor = filepath.Join(os.Getenv("PARTYWALL_DIR"), fmt.Sprintf("%x.section", hash[:12]))
	return anchor, func(generation int) string { return fmt.Sprintf("%s.%d", anchor, generation) }
}

// Words of a region, and of the anchor.
const (
	atSwitch   = 128
	atLock     = 136
	atCurrent  = 128
	atBell     = 256
	atSleepers = 260
	atEntries  = 384
)

// lockHeld is the lock word of a participant who holds the lock and is about to switch.
func lockHeld(number int, commit bool) uint64 {
	word := 77<<16 | uint64(number)<<2 | 1
	if commit {
		word |= 2
	}
	return word
}

func peek(t testing.TB, path string, at int64) uint64 {
	t.Helper()
	b := make([]byte, 8)
	f := opened(t, path)
	defer f.Close()
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	return binary.NativeEndian.Uint64(b)
}

func poke(t testing.TB, path string, at int64, word uint64) {
	t.Helper()
	pokeBytes(t, path, at, binary.NativeEndian.AppendUint64(nil, word))
}

func poke32(t testing.TB, path string, at int64, word uint32) {
	t.Helper()
	pokeBytes(t, path, at, binary.NativeEndian.AppendUint32(nil, word))
}

func pokeBytes(t testing.TB, path string, at int64, b []byte) {
	t.Helper()
	f := opened(t, path)
	defer f.Close()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func opened(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// clean fails the test if there are files when it ends, and all handles are closed.
func clean(t testing.TB) {
	leaks := proctest.Watch(t)
	t.Cleanup(func() {
		leaks.Check()
		left, _ := filepath.Glob(filepath.Join(os.Getenv("PARTYWALL_DIR"), "*"))
		for _, file := range left {
			t.Errorf("left behind: %s", file)
			os.RemoveAll(file)
		}
	})
}

// eventually waits until something that must happen has happened.
func eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for until := time.Now().Add(proctest.Watchdog); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: it does not happen", what)
		}
	}
}
