package instance_test

import (
	"context"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/instance"
	"github.com/partywall/partywall/internal/proctest"
)

// acquire makes this process the first.
func acquire(t testing.TB, name string) *instance.Instance {
	t.Helper()
	i, err := instance.Acquire(within(t, proctest.Watchdog), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

func TestHandsOver(t *testing.T) {
	prepare(t)
	t.Setenv("INSTANCE_A", "a=b c")
	t.Setenv("INSTANCE_SECRET", "x")
	i := acquire(t, "handsover")
	if i.Name() != "handsover" {
		t.Errorf("it runs as %q", i.Name())
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"open", "a file.txt"}, {}, {""}, {"", "", ""}, {`"quoted" 'twice'`, "|", "^&%PATH%", "\t\n", `\\`, "größe", "文件"}} {
		done := make(chan error, 1)
		go func() {
			second, err := instance.Acquire(context.Background(), "handsover", instance.Args(args...),
				instance.Env("INSTANCE_A", "INSTANCE_ABSENT"), instance.Payload([]byte("payload\x00\xff")))
			if second != nil {
				err = errors.New("it is the first too")
			}
			done <- err
		}()
		got := next(t, i)
		wantArgs := args
		if len(args) == 0 {
			wantArgs = nil
		}
		want := instance.Launch{Args: wantArgs, Dir: dir, Env: []string{"INSTANCE_A=a=b c"}, Payload: []byte("payload\x00\xff"), From: me(t)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		err := <-done
		wantErr(t, err, partywall.ErrRunning)
		wantText(t, err, `"handsover"`, "has taken this launch")
		var running *instance.RunningError
		if errors.Is(err, partywall.ErrUnreachable) || !errors.As(err, &running) || running.First.PID != os.Getpid() || running.Reason != nil {
			t.Errorf("%+v", err)
		}
	}
}

// me is this process as others see it.
func me(t testing.TB) call.Peer {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return call.Peer{PID: os.Getpid(), UID: os.Geteuid(), User: u.Uid}
}

// next takes one launch.
func next(t testing.TB, i *instance.Instance) instance.Launch {
	t.Helper()
	for l, err := range i.Launches(within(t, proctest.Watchdog)) {
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	panic("the loop ends without a launch or an error")
}

// What Acquire hands over by itself is what this process was started with.
func TestHandsOverItsOwnArguments(t *testing.T) {
	prepare(t)
	i := acquire(t, "own")
	go instance.Acquire(within(t, proctest.Watchdog), "own")
	if got := next(t, i); !slices.Equal(got.Args, os.Args[1:]) || got.Env != nil || len(got.Payload) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestNames(t *testing.T) {
	prepare(t)
	long := strings.Repeat("x", instance.MaxName)
	acquire(t, long).Close()
	for name, say := range map[string]string{"": "empty", "My App": `"My App" has 'M'`, long + "y": "has 92 bytes; at most 91"} {
		i, err := instance.Acquire(context.Background(), name)
		if i != nil {
			t.Error("an instance beside the error")
		}
		wantErr(t, err, partywall.ErrName)
		wantText(t, err, say)
		if strings.Contains(err.Error(), instance.Prefix) {
			t.Errorf("it speaks of a name that the user does not know: %v", err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	prepare(t)
	big := strings.Repeat("x", instance.MaxArgs)
	t.Setenv("INSTANCE_BIG", strings.Repeat("x", 30<<10))
	for say, options := range map[string][]instance.Option{
		"a payload of 1048577 bytes; at most 1048576": {instance.Payload(make([]byte, instance.MaxPayload+1))},
		"1 arguments take 6291465 bytes":              {instance.Args(big)},
		"700000 arguments take 6300000 bytes":         {instance.Args(make([]string, 700_000)...)},
		"1 environment entries 30742":                 {instance.Args(big[:len(big)-20_000]), instance.Env("INSTANCE_BIG")},
	} {
		_, err := instance.Acquire(context.Background(), "large", options...)
		wantErr(t, err, partywall.ErrTooLarge)
		wantText(t, err, say, `"large"`)
	}
	// The most that can be handed over is handed over.
	i := acquire(t, "large")
	payload := slices.Repeat([]byte{0xff}, instance.MaxPayload)
	args := []string{strings.Repeat("\xff", instance.MaxArgs-1<<20)}
	for range 50_000 {
		args = append(args, "\x80")
	}
	done := make(chan error, 1)
	go func() {
		_, err := instance.Acquire(context.Background(), "large", instance.Args(args...), instance.Payload(payload))
		done <- err
	}()
	if got := next(t, i); !slices.Equal(got.Args, args) || !slices.Equal(got.Payload, payload) {
		t.Errorf("%d arguments, %d bytes of payload", len(got.Args), len(got.Payload))
	}
	wantErr(t, <-done, partywall.ErrRunning)
}

func TestEnvPanics(t *testing.T) {
	for _, name := range []string{"", "A=B", "A\x00"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Env(%q) does not panic", name)
				}
			}()
			instance.Env(name)
		}()
	}
}

// Launches that come while nobody is in the loop wait. Several loops share them.
func TestLoops(t *testing.T) {
	prepare(t)
	i := acquire(t, "loops")
	const launches = 20
	var senders sync.WaitGroup
	for n := range launches {
		senders.Go(func() {
			_, err := instance.Acquire(within(t, proctest.Watchdog), "loops", instance.Args(string(rune('a'+n))))
			if !errors.Is(err, partywall.ErrRunning) {
				t.Error(err)
			}
		})
	}
	var mu sync.Mutex
	var got []string
	add := func(l instance.Launch) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, l.Args...)
	}
	add(next(t, i)) // a loop that is left
	add(next(t, i))
	ctx, cancel := context.WithCancelCause(context.Background())
	var loops sync.WaitGroup
	for range 3 {
		loops.Go(func() {
			for l, err := range i.Launches(ctx) {
				if err != nil {
					wantErr(t, err, errStop)
					return
				}
				add(l)
			}
		})
	}
	senders.Wait()
	cancel(errStop)
	loops.Wait()
	slices.Sort(got)
	if want := "abcdefghijklmnopqrst"; strings.Join(got, "") != want {
		t.Errorf("launches %q, want %q", got, want)
	}
	for _, err := range i.Launches(ctx) {
		wantErr(t, err, errStop)
	}
}

var errStop = errors.New("enough")

func TestClose(t *testing.T) {
	prepare(t)
	i := acquire(t, "close")
	ended := make(chan error, 1)
	go func() {
		for _, err := range i.Launches(context.Background()) {
			ended <- err
		}
	}()
	var closers sync.WaitGroup
	for range 4 {
		closers.Go(func() {
			if err := i.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	closers.Wait()
	wantErr(t, <-ended, os.ErrClosed)
	for _, err := range i.Launches(context.Background()) {
		wantErr(t, err, os.ErrClosed)
	}
	acquire(t, "close").Close()
}

// A launch that Close catches makes its sender the first.
func TestCloseWithLaunches(t *testing.T) {
	prepare(t)
	i := acquire(t, "caught")
	const senders = 3
	got := make(chan *instance.Instance, senders)
	for range senders {
		go func() {
			i, err := instance.Acquire(within(t, proctest.Watchdog), "caught")
			if err != nil {
				t.Error(err)
			}
			got <- i
		}()
	}
	time.Sleep(50 * time.Millisecond) // most of them wait now; no matter if not
	for range senders {
		i.Close()
		if i = <-got; i == nil {
			return
		}
	}
	i.Close()
}

// The loop's own body may close the instance.
func TestCloseInLoop(t *testing.T) {
	prepare(t)
	i := acquire(t, "inside")
	done := make(chan error, 1)
	go func() {
		_, err := instance.Acquire(within(t, proctest.Watchdog), "inside")
		done <- err
	}()
	n := 0
	for _, err := range i.Launches(context.Background()) {
		if n++; err != nil {
			wantErr(t, err, os.ErrClosed)
			continue
		}
		i.Close()
	}
	wantErr(t, <-done, partywall.ErrRunning)
	if n != 2 {
		t.Errorf("%d turns", n)
	}
}

func TestOtherRunDirectory(t *testing.T) {
	prepare(t)
	acquire(t, "here")
	i, err := instance.Acquire(context.Background(), "here", instance.Dir(filepath.Join(t.TempDir(), "run")))
	if err != nil {
		t.Fatal(err)
	}
	i.Close()
}
