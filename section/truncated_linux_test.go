package section_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Somebody cuts a file short under an open handle. What needs the memory that has gone ends with an error, the process lives, and when all
// have closed the section the next finds nothing left.
func TestFileIsCutShort(t *testing.T) {
	for _, kind := range []string{"small", "wide", "large", "bytes", "document"} {
		for _, file := range []string{"anchor", "region"} {
			for _, size := range []int64{0, 4096} {
				t.Run(fmt.Sprintf("%s/%s/%d", kind, file, size), func(t *testing.T) { cutShort(t, kind, file, size) })
			}
		}
	}
}

func cutShort(t *testing.T, kind, file string, size int64) {
	clean(t)
	name := "cut"
	p := victim(t, kind, name, 300*time.Millisecond)
	if got := tell(t, p, "store", 5); got != "ok" {
		t.Fatal(got)
	}
	anchor, region := files(name)
	path := map[string]string{"anchor": anchor, "region": region(1)}[file]
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	gone := func(command, got string) {
		t.Helper()
		if strings.HasPrefix(got, "ok") {
			if size == 0 && file == "region" && command != "close" {
				t.Errorf("%s: %s", command, got)
			}
			return
		}
		if !strings.Contains(got, `section \"cut\"`) || !strings.Contains(got, "cut its file short") && !strings.Contains(got, "Deadline") {
			t.Errorf("%s: %s", command, got)
		}
	}
	for range 2 {
		gone("load", tell(t, p, "load"))
		gone("store", tell(t, p, "store", 6))
		gone("update", tell(t, p, "update"))
		gone("watch", tell(t, p, "watch"))
	}
	if got := tell(t, p, "join"); strings.HasPrefix(got, "ok") && info.Size() != size && size == 0 {
		t.Errorf("join: %s", got)
	}
	gone("close", tell(t, p, "close"))
	if got := tell(t, p, "open"); got != "ok" {
		t.Errorf("open: %s", got)
	}
	if got := tell(t, p, "store", 7); got != "ok" {
		t.Errorf("store: %s", got)
	}
	if got := tell(t, p, "load"); got != "ok 1 7" {
		t.Errorf("load: %s", got)
	}
	if got := tell(t, p, "close"); got != "ok" {
		t.Errorf("close: %s", got)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// The same while a loop sleeps: its context ends it, and closing the handle does.
func TestFileIsCutShortUnderASleeper(t *testing.T) {
	for _, file := range []string{"anchor", "region"} {
		for _, how := range []string{"stop", "close"} {
			t.Run(file+"/"+how, func(t *testing.T) {
				clean(t)
				p := victim(t, "small", "cut/asleep", 300*time.Millisecond)
				anchor, region := files("cut/asleep")
				p.Say("watching")
				eventually(t, "the loop sleeps", func() bool { return peek(t, anchor, atBell)>>32 == 1 })
				time.Sleep(20 * time.Millisecond) // it is about to
				if err := os.Truncate(map[string]string{"anchor": anchor, "region": region(1)}[file], 0); err != nil {
					t.Fatal(err)
				}
				p.Say("%s", how)
				p.Expect("watched")
				if how == "stop" {
					p.Say("close")
				}
				p.Expect("close")
				if err := p.Wait(); err != nil {
					t.Error(err)
				}
				open[plant](t, "cut/asleep")
			})
		}
	}
}
