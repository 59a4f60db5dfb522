package section_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/section"
)

type firstGen struct{ A uint64 }
type secondGen struct{ A, B uint64 }

// A member of a group cannot have another member's own file opened to the group, or written over, by giving it the name of a
// section.
func TestOtherNamesOfFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a link to a file of another user's needs root where the kernel protects such links")
	}
	gid := strconv.Itoa(os.Getgid())
	for _, content := range []string{"key", "", string(make([]byte, 100_000))} {
		base := t.TempDir()
		own, dir := filepath.Join(base, "own"), filepath.Join(base, "group")
		if err := os.WriteFile(own, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Mkdir(dir, 0o770), syscall.Chmod(dir, 0o2770)); err != nil {
			t.Fatal(err)
		}
		anchor, _ := files("linked")
		if err := os.Link(own, filepath.Join(dir, filepath.Base(anchor))); err != nil {
			t.Fatal(err)
		}
		if _, err := section.Open[firstGen]("linked", section.Group(gid), section.Dir(dir)); !errors.Is(err, partywall.ErrAccess) {
			t.Error(err)
		}
		info, err := os.Stat(own)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() != int64(len(content)) {
			t.Errorf("the file is %v with %d bytes, %v", info.Mode(), info.Size(), err)
		}
	}
}

// Somebody removes the files under an open handle, and others make the section anew: the old handle goes on with what it has, and does
// not touch what is not its own.
func TestFilesAreRemoved(t *testing.T) {
	clean(t)
	old := open[firstGen](t, "removed")
	anchor, region := files("removed")
	if err := errors.Join(os.Remove(anchor), os.Remove(region(1))); err != nil {
		t.Fatal(err)
	}
	fresh := open[firstGen](t, "removed", section.MustCreate())
	if err := errors.Join(old.Store(firstGen{1}), fresh.Store(firstGen{2})); err != nil {
		t.Fatal(err)
	}
	a, b := must(old.Load())(t), must(fresh.Load())(t)
	if a.A != 1 || b.A != 2 {
		t.Errorf("%v and %v", a, b)
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
	if again := must(open[firstGen](t, "removed", section.MustExist()).Load())(t); again.A != 2 {
		t.Errorf("%v", again)
	}
}

// What a section lacks is zero for who only reads it, whatever stood in the value before.
func TestWhatIsMissingIsZero(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		if err := on[firstGen](t, g, "missing").Store(firstGen{5}); err != nil {
			t.Fatal(err)
		}
		v := secondGen{1, 99}
		if must(on[secondGen](t, g, "missing", section.ReadOnly()).LoadTo(&v))(t); v != (secondGen{5, 0}) {
			t.Errorf("%v", v)
		}
	})
}

// A type that is bytes but has a name is a document: it may have methods that say so.
func TestNamedBytes(t *testing.T) {
	type blob []byte
	clean(t)
	s := open[blob](t, "named")
	if err := s.Store(blob("abc")); err != nil {
		t.Fatal(err)
	}
	if v := must(s.Load())(t); string(v) != "abc" {
		t.Errorf("%q", v)
	}
	if _, err := section.Open[[]byte]("named"); !errors.Is(err, partywall.ErrLayout) {
		t.Error(err)
	}
}

// An anchor that is in use and names no region is not made anew.
func TestNoRegion(t *testing.T) {
	clean(t)
	open[firstGen](t, "regionless")
	anchor, _ := files("regionless")
	poke(t, anchor, atCurrent, 0)
	for _, options := range [][]section.Option{nil, {section.MustExist()}} {
		if _, err := section.Open[firstGen]("regionless", options...); !errors.Is(err, partywall.ErrProtocol) {
			t.Error(err)
		}
	}
}

// Memory that is none, and memory where words would not be aligned, is an error.
func TestBadMemory(t *testing.T) {
	mem := make([]byte, 1<<20)
	for _, bad := range [][]byte{nil, {}, mem[1:], mem[8:], mem[:10]} {
		if s, err := section.Open[firstGen]("memory", section.In(bad)); err == nil {
			t.Errorf("%d bytes of memory are taken", len(bad))
			s.Close()
		}
	}
}
