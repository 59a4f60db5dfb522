package winmsg

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

func wantText(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %q in it", err, text)
	}
}

// A C server that has never heard of this package.
func TestInvokeC(t *testing.T) {
	contexts(t, func(t *testing.T, ctx context.Context) {
		server, w := startC(t, t.Name())
		for i := range 100 {
			info := myInfo{3333, float64(i)}
			if answer, err := Invoke(ctx, w, compareImage, &info); err != nil || answer != 0 || info != (myInfo{2, 1}) {
				t.Fatalf("%d, %+v, %v", answer, info, err)
			}
			if line := server.expect("client:"); line != fmt.Sprintf("red=3333.00,blue=%.2f", float64(i)) {
				t.Errorf("the server has got %q", line)
			}
		}
		_, err := InvokeBytes(ctx, w, compareImage, make([]byte, 8))
		wantErr(t, err, ErrRefused)
	})
}

// A C client that has never heard of this package, against a window of this process.
func TestCClient(t *testing.T) {
	var mu sync.Mutex
	var got []myInfo
	var errs []error
	w, err := NewWindow(Title(t.Name()), OnError(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	Handle(w, compareImage, func(i *myInfo) uintptr {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, *i)
		*i = myInfo{2, 1}
		return 0
	})
	for _, test := range []struct {
		args  string
		want  string
		calls int
	}{
		{"", "red=2.00,blue=1.00", 1},
		{"--repeat 200", "red=2.00,blue=1.00", 200},
		{"--short", "answer -1", 0},
		{"--bad-address", "answer -1", 0},
		{"--read-only", "answer -1", 0},
		{"", "red=2.00,blue=1.00", 1},
	} {
		got = nil
		if out := runC(t, append([]string{"--title", t.Name()}, strings.Fields(test.args)...)...); out != test.want {
			t.Errorf("%q prints %q, want %q", test.args, out, test.want)
		}
		if len(got) != test.calls {
			t.Errorf("%q: %d calls, want %d", test.args, len(got), test.calls)
		}
		for _, i := range got {
			if i != (myInfo{3333, 20.01}) {
				t.Fatalf("%q: the handler has got %+v", test.args, i)
			}
		}
	}
	if len(errs) != 2 { // the two addresses
		t.Errorf("OnError was told %v", errs)
	}
}

// WM_COPYDATA goes both ways, each time from one window to another.
func TestCopyData(t *testing.T) {
	contexts(t, func(t *testing.T, ctx context.Context) {
		type arrival struct {
			c    CopyData
			data string
		}
		back := make(chan arrival, 10)
		own, err := NewWindow(MessageOnly())
		if err != nil {
			t.Fatal(err)
		}
		defer own.Close()
		own.HandleCopyData(func(c CopyData) uintptr {
			back <- arrival{c, string(c.Data)}
			return uintptr(len(c.Data)) + 1000
		})
		check := func(w *Window, tag uintptr, text string, want uintptr) {
			t.Helper()
			answer, err := w.SendCopyData(ctx, own, tag, []byte(text))
			if err != nil || answer != want {
				t.Errorf("%.20q is answered %d, %v; want %d", text, answer, err, want)
			}
			a := <-back
			if a.c.Tag != tag+1 || a.data != strings.ToUpper(text) || a.c.From != w.Handle() {
				t.Errorf("%.20q brings back %+v", text, a)
			}
		}
		server, c := startC(t, "C "+t.Name())
		check(c, 7, "hello", 5)
		if line := server.expect("copydata "); line != "7 5 hello" {
			t.Errorf("the C server has got %q", line)
		}
		_, w := startServer(t)
		check(w, ^uintptr(0)>>1, "hello", 1005)
		check(w, 0, "", 1000)
		large := strings.Repeat("a large text ", 1<<17)
		check(w, 3, large, uintptr(len(large))+1000)
		// To nobody in particular.
		if answer, err := c.SendCopyData(ctx, nil, 1, []byte("x")); err != nil || answer != 1 {
			t.Errorf("%d, %v", answer, err)
		}
		// And from C.
		if out := runC(t, "--title", w.title(t), "--copydata", "text"); !strings.Contains(out, "got 8 TEXT") {
			t.Errorf("the C client says %q", out)
		}
	})
}

func (w *Window) title(t *testing.T) string {
	t.Helper()
	i, err := w.Info()
	if err != nil {
		t.Fatal(err)
	}
	return i.Title
}

// Many goroutines use one Window; each finds its own result.
func TestManyInvoke(t *testing.T) {
	_, w := startServer(t)
	ctx := within(t, 4*proctest.Watchdog)
	var crowd sync.WaitGroup
	for g := range 16 {
		crowd.Go(func() {
			for i := range 20 {
				info := myInfo{float64(g), float64(i)}
				if _, err := Invoke(ctx, w, inPlace, &info); err != nil || info != (myInfo{float64(i), float64(g)}) {
					t.Errorf("%d, %d: %+v, %v", g, i, info, err)
				}
				data := bytes.Repeat([]byte{'a' + byte(g)}, 10+1000*i)
				want := bytes.ToUpper(data)
				if _, err := InvokeBytes(ctx, w, echoBytes, data); err != nil || !bytes.Equal(data, want) {
					t.Errorf("%d, %d: %.10q, %v", g, i, data, err)
				}
			}
		})
	}
	crowd.Wait()
}
