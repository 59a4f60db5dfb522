package section_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

func init() { conformRoles["watch"] = watchRole }

// changes lets a test receive what a loop yields.
func changes[T any](ctx context.Context, s *section.Section[T]) (<-chan section.Change[T], <-chan error) {
	got, ended := make(chan section.Change[T], 1024), make(chan error, 1)
	go func() {
		for c, err := range s.Watch(ctx) {
			if err != nil {
				ended <- err
				return
			}
			got <- c
		}
	}()
	return got, ended
}

func next[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(proctest.Watchdog):
		t.Fatal("nothing comes")
	}
	return v
}

// A loop yields what is there, and then each version, if it is awake or asleep when it comes.
func TestWatch(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		a, b := on[plant](t, g, "watch"), on[plant](t, g, "watch")
		fresh, _ := changes(ctx, b) // nobody has stored: it yields nothing yet
		for i := range uint32(300) {
			if err := a.Store(plant{Jobs: i}); err != nil {
				t.Fatal(err)
			}
			c := next(t, fresh)
			if c.Version != uint64(i+1) || c.Value.Jobs != i || c.Skipped != 0 {
				t.Fatalf("%+v, want version %d", c, i+1)
			}
			if i%10 == 0 {
				time.Sleep(time.Duration(i) * 10 * time.Microsecond) // long enough to fall asleep
			}
		}
		late, _ := changes(ctx, b)
		if c := next(t, late); c.Version != 300 || c.Skipped != 0 {
			t.Errorf("who comes late gets %+v", c)
		}
	})
}

// A loop that is slower than the writer misses versions, counts them, and gets the last.
func TestWatchSkips(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		s := on[plant](t, g, "skips")
		if err := s.Store(plant{}); err != nil {
			t.Fatal(err)
		}
		stores, known := []int{1, 1000, 1, 2, 0}, uint64(0)
		for c, err := range s.Watch(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			if known != 0 && c.Skipped != c.Version-known-1 || known == 0 && c.Skipped != 0 {
				t.Errorf("version %d comes after %d and says that %d were skipped", c.Version, known, c.Skipped)
			}
			known = c.Version
			n := stores[0]
			stores = stores[1:]
			for range n {
				if err := s.Store(plant{}); err != nil {
					t.Fatal(err)
				}
			}
			if n == 0 {
				break
			}
		}
		if known != 1005 || len(stores) != 0 {
			t.Errorf("the last version was %d, and %v are left", known, stores)
		}
	})
}

// However a loop ends, it ends at once.
func TestWatchEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		s := on[plant](t, g, "ends")
		// Asleep, awake, and before it has begun; many loops of one handle.
		for _, after := range []time.Duration{0, time.Microsecond, 50 * time.Microsecond, 5 * time.Millisecond} {
			ctx, cancel := context.WithCancelCause(context.Background())
			var loops []<-chan error
			for range 20 {
				_, ended := changes(ctx, s)
				loops = append(loops, ended)
			}
			time.Sleep(after)
			why := errors.New("enough")
			cancel(why)
			for _, ended := range loops {
				if err := next(t, ended); !errors.Is(err, why) {
					t.Error(err)
				}
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, ended := changes(ctx, s)
		if err := next(t, ended); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// Close ends loops, also the one that calls it.
func TestWatchCloses(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		for _, after := range []time.Duration{0, 5 * time.Millisecond} {
			s := on[plant](t, g, "closes")
			var loops []<-chan error
			for range 5 {
				_, ended := changes(context.Background(), s)
				loops = append(loops, ended)
			}
			time.Sleep(after)
			s.Close()
			for _, ended := range loops {
				if err := next(t, ended); !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), `"closes"`) {
					t.Error(err)
				}
			}
		}
		s := on[plant](t, g, "closes")
		s.Store(plant{})
		var last error
		for _, err := range s.Watch(context.Background()) {
			if last = err; err == nil {
				s.Close()
			}
		}
		if !errors.Is(last, os.ErrClosed) {
			t.Error(last)
		}
		for _, err := range s.Watch(context.Background()) {
			if !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
		}
	})
}

// Processes that sleep are woken, all of them, and the last version reaches each.
func TestManyWatchers(t *testing.T) {
	watchers := 64
	if testing.Short() || slow {
		watchers = 8
	}
	everywhere(t, func(t *testing.T, g ground) {
		s := on[plant](t, g, "many")
		const stores = 200
		var group sync.WaitGroup
		all := make([]*proctest.Process, watchers)
		for i := range all {
			all[i] = g.start(t, "watch", "many", fmt.Sprint(stores))
		}
		for _, p := range all {
			p.Expect("ready")
		}
		for i := range uint32(stores) {
			if err := s.Store(plant{Jobs: i + 1}); err != nil {
				t.Fatal(err)
			}
			if i%20 == 0 {
				time.Sleep(20 * time.Millisecond) // they fall asleep
			}
		}
		for _, p := range all {
			group.Go(func() {
				if err := p.Wait(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
}

// watchRole prints each version until it has seen the one it was told of.
func watchRole(g ground, name string, args []string) error {
	s, done, err := child[plant](g, name)
	if err != nil {
		return err
	}
	defer done()
	fmt.Println("ready")
	var until, known uint64
	fmt.Sscan(args[0], &until)
	for c, err := range s.Watch(context.Background()) {
		if err != nil {
			return err
		}
		if c.Version <= known || uint64(c.Value.Jobs) != c.Version {
			return fmt.Errorf("%+v after version %d", c, known)
		}
		if known = c.Version; known == until {
			fmt.Println("last")
			return nil
		}
	}
	return nil
}
