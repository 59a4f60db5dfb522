package winmsg

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
)

func gone(t *testing.T, w *OwnWindow) {
	t.Helper()
	select {
	case <-w.Done():
	case <-time.After(proctest.Watchdog):
		t.Fatal("the window is still there")
	}
}

// open opens a window of this process as another's is opened.
func (w *OwnWindow) open(t *testing.T) *Window {
	t.Helper()
	o, err := Open(w.Handle())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func TestClose(t *testing.T) {
	for _, how := range []string{"from outside", "by the user", "from a handler", "twice at once"} {
		t.Run(how, func(t *testing.T) {
			w, err := NewWindow(Title(how), Visible())
			if err != nil {
				t.Fatal(err)
			}
			w.HandleMessage(User, func(uintptr, uintptr) uintptr {
				if err := w.Close(); err != nil {
					t.Error(err)
				}
				return 3
			})
			o := w.open(t)
			switch how {
			case "from outside":
				err = w.Close()
			case "by the user":
				err = o.Post(CloseNow, 0, 0)
			case "from a handler":
				var answer uintptr
				if answer, err = o.Send(t.Context(), User, 0, 0); err == nil && answer != 3 {
					t.Errorf("the answer is %d", answer)
				}
			case "twice at once":
				other := make(chan error)
				go func() { other <- w.Close() }()
				err = errors.Join(w.Close(), <-other)
			}
			if err != nil {
				t.Error(err)
			}
			gone(t, w)
			if err := w.Close(); err != nil {
				t.Errorf("once more: %v", err)
			}
			_, err = o.Send(t.Context(), User, 0, 0)
			wantErr(t, err, partywall.ErrPeerGone)
			w.SetText(0, 0, "too late")
		})
	}
}

// Windows come and go, and nothing is left of them.
func TestManyWindows(t *testing.T) {
	round := func() {
		w, err := NewWindow(Title("fleeting"))
		if err != nil {
			t.Fatal(err)
		}
		Handle(w, compareImage, func(i *myInfo) uintptr { i.Red = 1; return 0 })
		o := w.open(t)
		var info myInfo
		if _, err := Invoke(t.Context(), o, compareImage, &info); err != nil || info.Red != 1 {
			t.Fatal(info, err)
		}
		o.Close()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		round()
	}
	before := proctest.Handles(t, os.Getpid())
	for range 100 {
		round()
	}
	const slack = 10
	if after := proctest.Handles(t, os.Getpid()); after > before+slack {
		t.Errorf("%d handles, and %d before 100 windows", after, before)
	}
}

func TestNewWindowMistakes(t *testing.T) {
	for _, test := range []struct {
		what    string
		options []WindowOption
		want    string
	}{
		{"visible and message-only", []WindowOption{Visible(), MessageOnly()}, "cannot be visible"},
		{"no class", []WindowOption{Class("")}, "needs a name"},
		{"size", []WindowOption{Size(-1, 5)}, "-1 by 5"},
		{"title", []WindowOption{Title("a\x00b")}, "zero byte"},
		{"class", []WindowOption{Class("a\x00b")}, "zero byte"},
		{"long class", []WindowOption{Class(strings.Repeat("c", 256))}, "at most 255"},
	} {
		w, err := NewWindow(test.options...)
		wantText(t, err, test.want)
		if err == nil {
			w.Close()
		}
	}
}

// A window that is found takes requests.
func TestPrepare(t *testing.T) {
	for round := range 20 {
		made := make(chan *OwnWindow)
		go func() {
			w, err := NewWindow(Title("prepared"), Prepare(func(w *OwnWindow) {
				if found, err := List(Title("prepared")); err != nil || len(found) > 0 {
					t.Errorf("it is found before it is ready: %v, %v", found, err)
				}
				Handle(w, compareImage, func(i *myInfo) uintptr { i.Red++; return 0 })
			}))
			if err != nil {
				t.Error(err)
			}
			made <- w
		}()
		o, err := Find(within(t, proctest.Watchdog), Title("prepared"), Wait())
		if err != nil {
			t.Fatal(err)
		}
		info := myInfo{Red: float64(round)}
		if _, err := Invoke(t.Context(), o, compareImage, &info); err != nil || info.Red != float64(round+1) {
			t.Errorf("%+v, %v", info, err)
		}
		o.Close()
		(<-made).Close()
	}
}

func TestHandlePanics(t *testing.T) {
	w, err := NewWindow()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	Handle(w, User, func(*int32) uintptr { return 0 })
	for what, f := range map[string]func(){
		"a second handler": func() { Handle(w, User, func(*int32) uintptr { return 0 }) },
		"a text":           func() { Handle(w, User+1, func(*string) uintptr { return 0 }) },
		"in place":         func() { HandleInPlace(w, User+1, func(*[]byte) uintptr { return 0 }) },
		"a limit":          func() { HandleBytes(w, User+1, -1, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", what)
				}
			}()
			f()
		}()
	}
}

func TestPost(t *testing.T) {
	got := make(chan [2]uintptr, 1)
	w, err := NewWindow(MessageOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	m, err := RegisterMessage("partywall.winmsg.test")
	if err != nil || m < firstRegistered {
		t.Fatal(m, err)
	}
	if again, err := RegisterMessage("partywall.winmsg.test"); again != m || err != nil {
		t.Error(again, err)
	}
	if _, err := RegisterMessage(""); err == nil {
		t.Error("a message without a name")
	}
	w.HandleMessage(m, func(wParam, lParam uintptr) uintptr {
		got <- [2]uintptr{wParam, lParam}
		return 0
	})
	if err := w.Allow(m); err != nil {
		t.Error(err)
	}
	if err := w.open(t).Post(m, 1<<40, ^uintptr(0)); err != nil {
		t.Fatal(err)
	}
	select {
	case g := <-got:
		if g != [2]uintptr{1 << 40, ^uintptr(0)} {
			t.Errorf("got %x", g)
		}
	case <-time.After(proctest.Watchdog):
		t.Error("nothing has come")
	}
}

// A handle that has become another's is not taken for the old one.
func TestHandleIsReused(t *testing.T) {
	_, w := startServer(t)
	for _, other := range []*Window{
		{handle: w.handle, pid: w.pid + 4, thread: w.thread, memory: newMemory(w.PID())},
		{handle: w.handle, pid: w.pid, thread: w.thread + 4, memory: newMemory(w.PID())},
	} {
		_, err := other.Send(t.Context(), compareImage, 0, 0)
		wantErr(t, err, partywall.ErrPeerGone)
		info := myInfo{}
		_, err = Invoke(t.Context(), other, compareImage, &info)
		wantErr(t, err, partywall.ErrPeerGone)
		other.memory.close()
	}
}
