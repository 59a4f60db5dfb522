package section_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/proctest"
	"github.com/partywall/partywall/section"
)

func init() { conformRoles["victim"] = victimRole }

// A victim is a process that does with a section what it is told, while others do it harm: if it crashed or hung, the
// test would say so. It answers each command with a line: the command, then "ok" and what it has found, or the
// names of what the error is, and the error.

// bulk is a value that is read under pins.
type bulk struct {
	N    uint64
	Data [100_000]byte
}

// A victimHandle is a section of any type, whose values have a number.
type victimHandle interface {
	load() (string, error)
	store(n uint64) error
	update(ctx context.Context) error
	watch(ctx context.Context) (string, error)
	close() error
}

type victimOf[T any] struct {
	s    *section.Section[T]
	make func(uint64) *T
	get  func(*T) uint64
}

func (v victimOf[T]) load() (string, error) {
	value := new(T)
	version, err := v.s.LoadTo(value)
	return fmt.Sprintf("%d %d", version, v.get(value)), err
}

func (v victimOf[T]) store(n uint64) error {
	_, err := v.s.StoreFrom(v.make(n))
	return err
}

func (v victimOf[T]) update(ctx context.Context) error {
	return v.s.Update(ctx, func(value *T) error {
		*value = *v.make(v.get(value) + 1)
		return nil
	})
}

func (v victimOf[T]) watch(ctx context.Context) (seen string, err error) {
	for c, err := range v.s.Watch(ctx) {
		if err != nil {
			return seen, err
		}
		seen += fmt.Sprintf("%d ", c.Version)
	}
	return seen, nil
}

func (v victimOf[T]) close() error { return v.s.Close() }

// victimKinds open a section of each kind of type.
var victimKinds = map[string]func(name string, options ...section.Option) (victimHandle, error){
	"small": func(name string, options ...section.Option) (victimHandle, error) {
		s, err := section.Open[plant](name, options...)
		return victimOf[plant]{s, func(n uint64) *plant { return &plant{Jobs: uint32(n)} }, func(v *plant) uint64 { return uint64(v.Jobs) }}, err
	},
	"wide": func(name string, options ...section.Option) (victimHandle, error) { // of which small is a part
		type wide struct {
			plant
			More [100]uint64
		}
		s, err := section.Open[wide](name, options...)
		return victimOf[wide]{s, func(n uint64) *wide { return &wide{More: [100]uint64{n}} }, func(v *wide) uint64 { return v.More[0] }}, err
	},
	"large": func(name string, options ...section.Option) (victimHandle, error) {
		s, err := section.Open[bulk](name, options...)
		return victimOf[bulk]{s, func(n uint64) *bulk { return &bulk{N: n} }, func(v *bulk) uint64 { return v.N }}, err
	},
	"bytes": func(name string, options ...section.Option) (victimHandle, error) {
		s, err := section.Open[[]byte](name, append(options, section.MaxSize(100))...)
		return victimOf[[]byte]{s, func(n uint64) *[]byte { b := []byte(fmt.Sprint(n)); return &b }, func(v *[]byte) uint64 { n, _ := strconv.ParseUint(string(*v), 10, 64); return n }}, err
	},
	"huge": func(name string, options ...section.Option) (victimHandle, error) {
		s, err := section.Open[[]byte](name, append(options, section.MaxSize(64<<20))...)
		return victimOf[[]byte]{s, func(n uint64) *[]byte { b := []byte(fmt.Sprint(n)); return &b }, func(v *[]byte) uint64 { n, _ := strconv.ParseUint(string(*v), 10, 64); return n }}, err
	},
	"document": func(name string, options ...section.Option) (victimHandle, error) {
		s, err := section.Open[map[string]uint64](name, append(options, section.MaxSize(70_000))...)
		return victimOf[map[string]uint64]{s, func(n uint64) *map[string]uint64 { return &map[string]uint64{"n": n} }, func(v *map[string]uint64) uint64 { return (*v)["n"] }}, err
	},
}

// victimErrors are those that an answer names.
var victimErrors = []struct {
	name string
	is   error
}{
	{"Access", partywall.ErrAccess}, {"Busy", partywall.ErrBusy}, {"Layout", partywall.ErrLayout}, {"NotFound", partywall.ErrNotFound},
	{"Protocol", partywall.ErrProtocol}, {"TooLarge", partywall.ErrTooLarge}, {"Version", partywall.ErrVersion},
	{"Closed", os.ErrClosed}, {"Deadline", context.DeadlineExceeded}, {"Patience", os.ErrDeadlineExceeded}, {"Canceled", context.Canceled},
	{"NotExist", fs.ErrNotExist}, {"NoSpace", syscall.ENOSPC}, {"FileTooLarge", syscall.EFBIG}, {"Files", syscall.EMFILE}, {"Memory", syscall.ENOMEM},
}

func answer(command, found string, err error) {
	line := command + " ok " + found
	if err != nil {
		line = command
		for _, e := range victimErrors {
			if errors.Is(err, e.is) {
				line += " " + e.name
			}
		}
		line += " " + strconv.Quote(err.Error())
	}
	fmt.Println(line)
}

// victimRole takes the kind of its section and its patience.
func victimRole(_ ground, name string, args []string) error {
	open := victimKinds[args[0]]
	patience, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	section.SetPatience(patience)
	v, err := open(name)
	answer("open", "", err)
	stop := func() {}
	var stopped chan bool
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		words := strings.Fields(in.Text())
		switch command := words[0]; command {
		case "load":
			found, err := v.load()
			answer(command, found, err)
		case "store":
			n, _ := strconv.ParseUint(words[1], 10, 64)
			answer(command, "", v.store(n))
		case "update":
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			answer(command, "", v.update(ctx))
			cancel()
		case "watch":
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			found, err := v.watch(ctx)
			cancel()
			answer(command, found, err)
		case "watching": // until stop
			ctx, cancel := context.WithCancel(context.Background())
			stop = cancel
			stopped = make(chan bool)
			go func() {
				defer close(stopped)
				found, err := v.watch(ctx)
				answer("watched", found, err)
			}()
		case "stop":
			stop()
			<-stopped
		case "join": // another handle
			other, err := open(name)
			if err == nil {
				_, err = other.load()
				err = errors.Join(err, other.close())
			}
			answer(command, "", err)
		case "kind": // of what is opened next, and its name
			open, name = victimKinds[words[1]], words[2]
			answer(command, "", nil)
		case "open":
			v, err = open(name)
			answer(command, "", err)
		case "close":
			err := v.close()
			if stopped != nil {
				<-stopped // says so first
			}
			answer(command, "", err)
		default:
			return fmt.Errorf("no command %q", command)
		}
	}
	return nil
}

// victim starts one that has a section open.
func victim(t testing.TB, kind, name string, patience time.Duration) *proctest.Process {
	t.Helper()
	p := ground{kind: "files"}.start(t, "victim", name, kind, patience.String())
	if got := p.Expect("open"); got != "ok" {
		t.Fatal(got)
	}
	return p
}

// tell has a victim do something, and gives its answer.
func tell(t testing.TB, p *proctest.Process, command string, args ...any) string {
	t.Helper()
	p.Say("%s", strings.TrimSpace(command+" "+fmt.Sprintln(args...)))
	return p.Expect(command)
}
