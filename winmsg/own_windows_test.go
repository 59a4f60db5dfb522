package winmsg

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/internal/winapi"
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
	for _, how := range []string{"from outside", "by the user", "from a handler", "twice at once", "WM_QUIT", "WM_DESTROY"} {
		t.Run(how, func(t *testing.T) {
			w, err := NewWindow(Title(how), Visible())
			if err != nil {
				t.Fatal(err)
			}
			w.HandleMessage(User, func(uintptr, uintptr) uintptr {
				for range 2 {
					if err := w.Close(); err != nil {
						t.Error(err)
					}
				}
				return 3
			})
			w.HandleMessage(winapi.WM_DESTROY, func(uintptr, uintptr) uintptr { return 0 }) // as programs do
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
			case "WM_QUIT":
				err = o.Post(0x0012, 0, 0)
			case "WM_DESTROY": // from somebody who has no business with it
				if _, err = o.Send(t.Context(), winapi.WM_DESTROY, 0, 0); err == nil {
					err = w.Close()
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

// A class is the same in other letters.
func TestClassCase(t *testing.T) {
	for _, class := range []string{"Partywall Case", "PARTYWALL case"} {
		w, err := NewWindow(Class(class))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
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

// A handler that closes another window does not wait: that one may be waiting for it.
func TestCloseAnother(t *testing.T) {
	a, err := NewWindow(Title("closes"), MessageOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := NewWindow(Title("is closed"), MessageOnly())
	if err != nil {
		t.Fatal(err)
	}
	toA, toB := a.open(t), b.open(t)
	a.HandleMessage(User, func(uintptr, uintptr) uintptr {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		return 1
	})
	b.HandleMessage(User, func(uintptr, uintptr) uintptr {
		answer, err := toA.Send(within(t, proctest.Watchdog), User, 0, 0)
		if err != nil {
			t.Error(err)
		}
		return answer + 1
	})
	if answer, err := toB.Send(within(t, proctest.Watchdog), User, 0, 0); err != nil || answer != 2 {
		t.Errorf("%d, %v", answer, err)
	}
	gone(t, b)
}

// Windows that ask one another before they answer: with a context that can end as well.
func TestAskBack(t *testing.T) {
	contexts(t, func(t *testing.T, ctx context.Context) {
		var own [2]*OwnWindow
		var to [2]*Window
		for i := range own {
			w, err := NewWindow(MessageOnly())
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			own[i], to[i] = w, w.open(t)
		}
		for i, w := range own {
			w.HandleMessage(User, func(depth, _ uintptr) uintptr {
				if depth == 0 {
					return 0
				}
				answer, err := to[1-i].Send(ctx, User, depth-1, 0)
				if err != nil {
					t.Error(err)
				}
				return answer + 1
			})
		}
		if answer, err := to[0].Send(ctx, User, 9, 0); err != nil || answer != 9 {
			t.Errorf("%d, %v", answer, err)
		}
	})
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
		"a bool":           func() { HandleInPlace(w, User+1, func(*struct{ B bool }) uintptr { return 0 }) },
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
	if err := w.open(t).Post(m, ^uintptr(0)>>1, ^uintptr(0)); err != nil {
		t.Fatal(err)
	}
	select {
	case g := <-got:
		if g != [2]uintptr{^uintptr(0) >> 1, ^uintptr(0)} {
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
		{handle: w.handle, pid: w.pid + 4, thread: w.thread, memory: newMemory(w.PID()), journeys: make(chan struct{}, 1)},
		{handle: w.handle, pid: w.pid, thread: w.thread + 4, memory: newMemory(w.PID()), journeys: make(chan struct{}, 1)},
	} {
		_, err := other.Send(t.Context(), compareImage, 0, 0)
		wantErr(t, err, partywall.ErrPeerGone)
		info := myInfo{}
		_, err = Invoke(t.Context(), other, compareImage, &info)
		wantErr(t, err, partywall.ErrPeerGone)
		other.memory.close()
	}
}
