package winmsg

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func TestFind(t *testing.T) {
	ctx := t.Context()
	server, w := startServer(t)
	_, c := startC(t, "A C window")
	image := filepath.Base(os.Args[0])
	for _, test := range []struct {
		what       string
		conditions []Condition
		want       *Window
	}{
		{"title", []Condition{Title(t.Name())}, w},
		{"title in capitals", []Condition{Title(strings.ToUpper(t.Name()))}, w},
		{"title, class, process and image", []Condition{Title(t.Name()), Class("PartyWall"), PID(server.PID()), Image(image)}, w},
		{"class of C", []Condition{Class("CompareServerC")}, c},
		{"image of C", []Condition{Image("compare-server.exe"), Class("CompareServerC")}, c},
		{"path of C", []Condition{Image(cPeer(t, "compare-server")), Title("A C window")}, c},
		{"process of C", []Condition{PID(c.PID()), Class("CompareServerC")}, c},
		{"other title", []Condition{Title(t.Name()), PID(c.PID())}, nil},
		{"other class", []Condition{Title(t.Name()), Class("CompareServerC")}, nil},
		{"part of a title", []Condition{Title("A C")}, nil},
		{"message-only", []Condition{Title(t.Name()), MessageOnly()}, nil},
		{"no such image", []Condition{Image("none.exe")}, nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			got, err := Find(ctx, test.conditions...)
			if test.want == nil {
				wantErr(t, err, partywall.ErrNotFound)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer got.Close()
			if got.Handle() != test.want.Handle() || got.PID() != test.want.PID() {
				t.Errorf("found %v, want %v", got, test.want)
			}
		})
	}
}

func TestFindSeveral(t *testing.T) {
	const title = "one of several"
	_, a := startC(t, title)
	_, b := startC(t, title)
	_, err := Find(t.Context(), Title(title))
	several := (*AmbiguousError)(nil)
	if !errors.As(err, &several) || len(several.Matches) != 2 {
		t.Fatal(err)
	}
	for _, w := range []*Window{a, b} {
		if !slices.ContainsFunc(several.Matches, func(i Info) bool { return i.Handle == w.Handle() && i.PID == w.PID() }) {
			t.Errorf("%v is not listed: %v", w, err)
		}
		if found, err := Find(t.Context(), Title(title), PID(w.PID())); err != nil || found.Handle() != w.Handle() {
			t.Error(found, err)
		}
	}
	wantText(t, err, "compare-server.exe")
	wantText(t, err, `title "one of several"`)
}

func TestFindWaits(t *testing.T) {
	const title = "not there yet"
	_, err := Find(within(t, 100*time.Millisecond), Title(title), Wait())
	wantErr(t, err, partywall.ErrNotFound)
	wantErr(t, err, context.DeadlineExceeded)
	found := make(chan *Window)
	go func() {
		w, err := Find(within(t, proctest.Watchdog), Title(title), Wait())
		if err != nil {
			t.Error(err)
		}
		found <- w
	}()
	time.Sleep(100 * time.Millisecond)
	_, w := startC(t, title)
	if f := <-found; f != nil && f.Handle() != w.Handle() {
		t.Errorf("found %v, want %v", f, w)
	}
}

func TestList(t *testing.T) {
	var own []*OwnWindow
	for _, options := range [][]WindowOption{
		{Title("top"), Class("list test")},
		{Title("shown"), Class("list test"), Visible(), Size(200, 100)},
		{Title("hidden from sight"), Class("list test"), MessageOnly()},
	} {
		w, err := NewWindow(options...)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		own = append(own, w)
	}
	top, err := List(Class("list test"))
	if err != nil || len(top) != 2 {
		t.Fatal(top, err)
	}
	slices.SortFunc(top, func(a, b Info) int { return strings.Compare(a.Title, b.Title) })
	hidden, err := List(Class("list test"), MessageOnly())
	if err != nil || len(hidden) != 1 {
		t.Fatal(hidden, err)
	}
	for _, test := range []struct {
		got  Info
		want *OwnWindow
		Info
	}{
		{top[1], own[0], Info{Title: "top"}},
		{top[0], own[1], Info{Title: "shown", Visible: true}},
		{hidden[0], own[2], Info{Title: "hidden from sight", MessageOnly: true}},
	} {
		want := test.Info
		want.Handle, want.PID, want.Class, want.Thread = test.want.Handle(), os.Getpid(), "list test", int(test.want.thread)
		want.Image = test.got.Image
		if test.got != want || !strings.EqualFold(filepath.Base(want.Image), filepath.Base(os.Args[0])) {
			t.Errorf("got %+v, want %+v", test.got, want)
		}
	}
	// One after the other vanishes.
	for n, w := range own {
		w.Close()
		all, err := List(Class("list test"))
		more, err2 := List(Class("list test"), MessageOnly())
		if err != nil || err2 != nil || len(all)+len(more) != 2-n {
			t.Errorf("%v, %v, %v, %v", all, more, err, err2)
		}
	}
	if _, err := Open(0); !errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
}

// Eight look for a window that is not there: one program is started.
func TestStart(t *testing.T) {
	const title = "started"
	ctx := within(t, 2*proctest.Watchdog)
	var racers sync.WaitGroup
	var mu sync.Mutex
	var windows []*Window
	started := 0
	for range 8 {
		racers.Go(func() {
			cmd := exec.Command(cPeer(t, "compare-server"), title)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { in.Close() })
			w, err := Start(ctx, cmd, Title(title))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			windows = append(windows, w)
			if cmd.Process != nil {
				started++
			}
		})
	}
	racers.Wait()
	if started != 1 || len(windows) != 8 {
		t.Fatalf("%d programs were started, %d have a window", started, len(windows))
	}
	for _, w := range windows {
		if w.Handle() != windows[0].Handle() {
			t.Errorf("%v and %v", w, windows[0])
		}
		w.Close()
	}

	_, err := Start(ctx, exec.Command(`C:\no\such\program.exe`), Title("never"))
	if err == nil || errors.Is(err, partywall.ErrNotFound) {
		t.Error(err)
	}
	_, err = Start(ctx, exec.Command(cPeer(t, "compare-client"), "--bogus"), Title("never"))
	wantErr(t, err, partywall.ErrNotFound)
	wantText(t, err, "exit status 64")
	// It ends well, and might have started another program.
	_, err = Start(within(t, 300*time.Millisecond), exec.Command(cPeer(t, "compare-client"), "--title", title), Title("never"))
	wantErr(t, err, context.DeadlineExceeded)
	cmd := exec.Command(cPeer(t, "compare-server"), "another title")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	_, err = Start(within(t, 300*time.Millisecond), cmd, Title("never"))
	wantErr(t, err, context.DeadlineExceeded)
}
