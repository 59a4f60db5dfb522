package section_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

func init() { conformRoles["hold"] = holdRole }

// holdRole stores what it is told, and holds the section until its input ends.
func holdRole(g ground, name string, args []string) error {
	var options []section.Option
	if len(args) > 1 && args[1] == "keep" {
		options = append(options, section.Keep())
	}
	s, done, err := child[plant](g, name, options...)
	if err != nil {
		return err
	}
	defer done()
	var v plant
	fmt.Sscan(args[0], &v.Jobs)
	if err := s.Store(v); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// A section lives while a process has it open.
func TestLife(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		for _, kill := range []bool{false, true} {
			a := g.start(t, "hold", "life", "5")
			a.Expect("ready")
			s := on[plant](t, g, "life")
			if v := must(s.Load())(t); v.Jobs != 5 {
				t.Errorf("%+v", v)
			}
			end(t, a, kill)
			// This process has it open still.
			b := on[plant](t, g, "life", section.MustExist())
			if v := must(b.Load())(t); v.Jobs != 5 {
				t.Errorf("%+v", v)
			}
			s.Close()
			b.Close()
			if !g.grows() {
				continue // the memory is there still, and so is the section
			}
			if _, err := tryOn[plant](t, g, "life", section.MustExist()); !errors.Is(err, partywall.ErrNotFound) {
				t.Error(err)
			}
			c := on[plant](t, g, "life", section.MustCreate())
			var v plant
			if version := must(c.LoadTo(&v))(t); version != 0 || v.Jobs != 0 {
				t.Errorf("version %d, %+v of a new section", version, v)
			}
			c.Close()
		}
	})
}

func end(t *testing.T, p *proctest.Process, kill bool) {
	t.Helper()
	if kill {
		p.Kill()
		p.Wait()
	} else if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// What killed processes leave is nobody's, and does not stay.
func TestAllAreKilled(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		for range 3 {
			a, b := g.start(t, "hold", "killed", "5"), g.start(t, "hold", "killed", "6")
			a.Expect("ready")
			b.Expect("ready")
			end(t, a, true)
			end(t, b, true)
			s := on[plant](t, g, "killed")
			var v plant
			if version := must(s.LoadTo(&v))(t); g.grows() && version != 0 {
				t.Errorf("version %d, %+v", version, v)
			}
			s.Close()
		}
	})
}

// A kept section has its last value when the next comes.
func TestKeep(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		if !g.grows() {
			t.Skip("a view is kept by its memory")
		}
		for i, kill := range []bool{false, true} {
			a := g.start(t, "hold", "kept", fmt.Sprint(i+1), "keep")
			a.Expect("ready")
			end(t, a, kill)
			s := on[plant](t, g, "kept", section.MustExist())
			var v plant
			if version := must(s.LoadTo(&v))(t); version != uint64(i+1) || v.Jobs != uint32(i+1) {
				t.Errorf("version %d, %+v", version, v)
			}
			s.Close()
		}
		if err := section.Remove("kept"); err != nil {
			t.Error(err)
		}
		if _, err := tryOn[plant](t, g, "kept", section.MustExist()); !errors.Is(err, partywall.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestOpenOptions(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		if _, err := tryOn[plant](t, g, "options", section.ReadOnly()); !errors.Is(err, partywall.ErrNotFound) || !strings.Contains(err.Error(), `"options"`) {
			t.Error(err)
		}
		stored := 0
		a := on[plant](t, g, "options", section.MustCreate(), section.Notify(func() { stored++ }))
		if _, err := tryOn[plant](t, g, "options", section.MustCreate()); !errors.Is(err, os.ErrExist) {
			t.Error(err)
		}
		if _, err := tryOn[plant](t, g, "options", section.MustCreate(), section.ReadOnly()); err == nil {
			t.Error("it has to be there and has to be new")
		}
		r := on[plant](t, g, "options", section.ReadOnly())
		if err := a.Store(plant{Jobs: 3}); err != nil {
			t.Fatal(err)
		}
		if v := must(r.Load())(t); v.Jobs != 3 {
			t.Errorf("%+v", v)
		}
		for _, err := range []error{r.Store(plant{}), r.Update(context.Background(), func(*plant) error { return nil })} {
			if !errors.Is(err, partywall.ErrAccess) {
				t.Error(err)
			}
		}
		if err := a.Update(context.Background(), func(*plant) error { return nil }); err != nil {
			t.Error(err)
		}
		if stored != 2 {
			t.Errorf("notified %d times", stored)
		}
		for c, err := range r.Watch(context.Background()) {
			if err != nil || c.Version != 2 {
				t.Error(c, err)
			}
			break
		}
		if _, err := tryOn[plant](t, g, "Options"); !errors.Is(err, partywall.ErrName) {
			t.Error(err)
		}
		if _, err := tryOn[chan int](t, g, "options"); err == nil {
			t.Error("a channel lies in shared memory")
		}
		if _, err := tryOn[[]byte](t, g, "options"); !errors.Is(err, partywall.ErrLayout) {
			t.Error(err)
		}
		if _, err := tryOn[[]byte](t, g, "huge", section.MaxSize(1<<31-1)); !errors.Is(err, partywall.ErrTooLarge) {
			t.Error(err)
		}
	})
}

// Whatever is under way when the handle is closed ends, and what comes later is told so.
func TestClose(t *testing.T) {
	everywhere(t, func(t *testing.T, g ground) {
		other := newGround(t, g.kind)
		for round := range 20 {
			s, l := on[medium](t, g, "close"), on[large](t, other, "close/large")
			var group sync.WaitGroup
			check := func(err error) bool {
				if err != nil && !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
				return err == nil
			}
			v, big := new(medium), new(large)
			group.Go(func() {
				for mine := new(medium); ; {
					if _, err := s.LoadTo(mine); !check(err) {
						return
					}
				}
			})
			group.Go(func() {
				for {
					if _, err := s.StoreFrom(v); !check(err) {
						return
					}
				}
			})
			group.Go(func() {
				for mine := new(large); ; {
					if _, err := l.LoadTo(mine); !check(err) {
						return
					}
				}
			})
			group.Go(func() {
				for {
					if _, err := l.StoreFrom(big); !check(err) {
						return
					}
				}
			})
			time.Sleep(time.Duration(round) * 100 * time.Microsecond)
			for range 2 {
				group.Go(func() { check(s.Close()) })
				group.Go(func() { check(l.Close()) })
			}
			group.Wait()
			if _, err := s.Load(); !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
		}
	})
}
