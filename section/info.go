package section

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/backing"
	"github.com/partywall/partywall/internal/jsonview"
)

// An Info says what a section is, and who has it open. It is of one moment, and what it says of other
// processes is what they have written down themselves: it is for people.
type Info struct {
	Name       string    `json:"section"`
	Form       string    `json:"form"`       // "fixed", "bytes" or "document"
	Signature  string    `json:"signature"`  // of the type
	Size       int       `json:"size"`       // bytes of a value: of a fixed layout, else at most
	Memory     int64     `json:"memory"`     // bytes that all of it takes, once for all processes
	Version    uint64    `json:"version"`    // how often it has been stored
	Generation uint64    `json:"generation"` // one more each time that it has grown
	Kept       bool      `json:"kept"`       // it outlives its processes
	Left       bool      `json:"left"`       // it is not alive: its processes were killed, and it is not kept
	Writer     int       `json:"writer"`     // the process that stored last, 0 if nobody has since it grew, or if it has gone
	Handles    []Handle  `json:"handles"`    // those that are open
	Opened     time.Time `json:"opened"`     // since when the first of them is; zero without any

	// File is where it begins, empty if it lies in memory that was given to [In].
	File string `json:"file,omitempty"`

	// Err says why this program cannot read it: it has another version, or something else lies where a
	// section would. Of the other fields only File is set then, and the Name if that is known.
	Err error `json:"-"`

	form form
}

// A Handle is one that a process has open.
type Handle struct {
	PID      int       `json:"pid"`
	ReadOnly bool      `json:"read_only"`
	Watchers int       `json:"watchers"` // loops that watch
	Opened   time.Time `json:"opened"`
}

// Readers is how many handles are open for reading only.
func (i *Info) Readers() (n int) {
	for _, h := range i.Handles {
		if h.ReadOnly {
			n++
		}
	}
	return n
}

// Writers is how many handles are open for writing too.
func (i *Info) Writers() int { return len(i.Handles) - i.Readers() }

// Watchers is how many loops watch it.
func (i *Info) Watchers() (n int) {
	for _, h := range i.Handles {
		n += h.Watchers
	}
	return n
}

// Fields is [Dynamic.Fields], without opening the section.
func (i *Info) Fields() []Field {
	if i.form.kind == 0 {
		return nil
	}
	s := newShape(i.form)
	return s.fields()
}

// Info says what the section is, and who has it open.
func (s *Section[T]) Info() (Info, error) { return s.core.info() }

func (c *core) info() (Info, error) {
	for {
		a := c.at.Load()
		if a == nil || !c.touch() {
			return Info{}, c.wrap(os.ErrClosed)
		}
		if !c.enter(a) {
			c.watching.Add(-1)
			continue
		}
		i := Info{Name: c.name}
		if files, ok := c.backing.(*backing.Files); ok {
			i.File = files.Path()
		}
		err := i.look(c.anchor, a, func(number int) bool { return !c.dead(number) })
		a.busy.Add(-1)
		c.watching.Add(-1)
		return i, c.wrap(err)
	}
}

// look fills in what an anchor and a region say.
func (i *Info) look(n *anchor, a *attachment, alive func(number int) bool) (err error) {
	defer unguard(guard(), &err)
	w, err := a.load()
	if err != nil {
		return err
	}
	i.form = a.form
	i.Form, i.Signature = a.form.describe()
	i.Size, i.Generation, i.Version = a.capacity, a.generation, w.version()
	i.Memory = int64(len(n.mem)) + a.region.Size()
	i.Kept = n.flags.Load()&keepFlag != 0
	i.Handles = []Handle{} // [] in JSON
	writer := lockWord(a.lock.Load())
	for number := range n.entries {
		e := n.entry(number)
		role := e.role.Load()
		if role != roleReader && role != roleWriter || !alive(number) {
			continue
		}
		h := Handle{
			PID: int(e.who.Load() >> 32), ReadOnly: role == roleReader,
			Watchers: int(min(e.watchers.Load(), 1<<20)), Opened: time.Unix(0, e.since.Load()).UTC(),
		}
		i.Handles = append(i.Handles, h)
		if i.Opened.IsZero() || h.Opened.Before(i.Opened) {
			i.Opened = h.Opened
		}
		if writer != 0 && writer.owner() == number && !h.ReadOnly {
			i.Writer = h.PID
		}
	}
	return nil
}

// describe says what a form is: see [Info].
func (f *form) describe() (form, signature string) {
	switch f.kind {
	case fixedForm:
		return "fixed", jsonview.FixedSignature(inOrder(f.fixed))
	case documentForm:
		return "document", f.document.Signature()
	}
	return "bytes", "bytes"
}

// List says what sections there are, in the order of their names: those that processes have open,
// those that are kept, and what processes that were killed have left. It disturbs nobody. Of the
// options, [Dir] and [Group] matter. Without a run directory there are none.
func List(options ...Option) ([]Info, error) {
	cfg := newConfig(options)
	stems, err := backing.Stems(cfg.place)
	if err != nil {
		return nil, fmt.Errorf("list sections: %w", err)
	}
	all := []Info{}
	for _, stem := range stems {
		if i, ok := inspect(cfg, stem, ""); ok {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.File, b.File))
	})
	return all, nil
}

// Describe is [List] of one section. The error wraps [partywall.ErrNotFound] if there is none, and
// otherwise is that of [Info].
func Describe(name string, options ...Option) (Info, error) {
	if err := partywall.CheckName(name); err != nil {
		return Info{}, fmt.Errorf("section %q: %w", name, err)
	}
	i, ok := inspect(newConfig(options), backing.Stem(name), name)
	if !ok {
		return Info{}, fmt.Errorf("section %q: %w: no process has it open, and it is not kept", name, partywall.ErrNotFound)
	}
	if i.Err != nil {
		return Info{}, fmt.Errorf("section %q: %w", name, i.Err)
	}
	return i, nil
}

// inspect looks at the section of a stem, whose name is not known if it is empty. It reports false if there is
// none: it may be coming or going.
func inspect(cfg *config, stem, name string) (i Info, ok bool) {
	files, err := backing.Inspect(cfg.place, stem)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, partywall.ErrNotFound) {
		return i, false
	}
	if err != nil {
		return Info{Name: name, Err: err}, true
	}
	defer files.Close()
	i = Info{Name: name, File: files.Path()}
	var n *anchor
	if n, i.Err = inspectAnchor(files, stem, &i.Name); i.Err == nil {
		if n == nil {
			return i, false
		}
		i.Err = i.inspectRegion(files, n)
	}
	if errors.Is(i.Err, os.ErrNotExist) { // it has gone meanwhile, or is not there yet
		return i, false
	}
	if i.Err != nil {
		return Info{Name: i.Name, File: i.File, Err: i.Err}, true
	}
	i.Left = len(i.Handles) == 0 && !i.Kept
	return i, !i.Left || files.Built() && !files.Anyone()
}

// inspectAnchor finds the anchor of a file, and the name in it.
func inspectAnchor(files *backing.Files, stem string, name *string) (n *anchor, err error) {
	defer unguard(guard(), &err)
	mem := files.Anchor()
	if len(mem) < anchorBytes(1) {
		return nil, nil
	}
	if *name == "" {
		var head [anchorCurrent]byte
		copy(head[:], mem)
		if bytes.Equal(head[:8], anchorMagic[:]) {
			length := binary.LittleEndian.Uint32(head[anchorNameLen:])
			said := string(head[anchorName : anchorName+min(length, partywall.MaxName)])
			if partywall.CheckName(said) == nil && backing.Stem(said) == stem {
				*name = said
			}
		}
	}
	return readAnchor(mem, *name)
}

// inspectRegion looks at the current region, though it may grow meanwhile.
func (i *Info) inspectRegion(files *backing.Files, n *anchor) error {
	for {
		current, err := n.peekCurrent()
		if err != nil || current == 0 {
			return errors.Join(err, os.ErrNotExist)
		}
		r, err := files.Open(current, true)
		if errors.Is(err, os.ErrNotExist) {
			if again, err := n.peekCurrent(); err == nil && again != current {
				continue
			}
		}
		if err != nil {
			return err
		}
		a, err := attach(r, current)
		if err != nil {
			return err
		}
		err = i.look(n, a, files.Alive)
		a.region.Close()
		return err
	}
}

// peekCurrent loads the current generation from memory that may not be there any more.
func (a *anchor) peekCurrent() (generation uint64, err error) {
	defer unguard(guard(), &err)
	return a.current.Load(), nil
}
