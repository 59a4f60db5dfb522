package section

import "github.com/partywall/partywall/internal/backing"

// An Option changes how [Open] opens a section.
type Option interface{ apply(*config) }

type option func(*config)

func (o option) apply(c *config) { o(c) }

type config struct {
	place      backing.Place
	view       []byte
	inView     bool
	readOnly   bool
	mustCreate bool
	mustExist  bool
	keep       bool
	maxSize    int
	holds      []string
	notify     func()
}

func newConfig(options []Option) *config {
	c := &config{}
	for _, o := range options {
		o.apply(c)
	}
	return c
}

// ReadOnly maps the values so that this process cannot write them, whatever it does by
// mistake. [Section.Store] and [Section.Update] return an error that wraps
// [partywall.ErrAccess]. It does not create the section, and does not make it grow: fields that the
// section lacks are zero.
func ReadOnly() Option {
	return option(func(c *config) { c.readOnly, c.mustExist = true, true })
}

// MustCreate has Open fail with an error that wraps [os.ErrExist] if a process has the section
// open, or if it is kept.
func MustCreate() Option { return option(func(c *config) { c.mustCreate = true }) }

// MustExist has Open fail with an error that wraps [partywall.ErrNotFound] if no process has the section
// open and it is not kept.
func MustExist() Option { return option(func(c *config) { c.mustExist = true }) }

// MaxSize is how many bytes a value that has no fixed layout may take: as a document, or as
// bytes. Without it that is [DefaultMaxSize], or what others have made of an existing section;
// with it a section that has less room grows. Bytes may have 1 GiB, documents 64 MiB.
// A section takes up to four times that of memory, from the beginning.
func MaxSize(bytes int) Option { return option(func(c *config) { c.maxSize = bytes }) }

// Keep makes the section outlive its processes: whoever opens it next finds the last value.
// It is kept until [Remove], or until its directory is removed, as the user's run directory
// may be at the end of a session: choose another with [Dir] where that is too soon. It does
// not outlive a crash of the machine unharmed.
func Keep() Option { return option(func(c *config) { c.keep = true }) }

// Group shares the section with the members of a group of users, which is given by its name or its number. All who
// open it have to say so. It lies in a directory of that group's: [Dir], or one in /dev/shm. Any
// member can read it, write it, and disturb it. Windows: [partywall.ErrNotSupported].
func Group(name string) Option { return option(func(c *config) { c.place.Group = name }) }

// Dir sets the directory in which the section lies: unless set, it is the run directory,
// $PARTYWALL_DIR, else $XDG_RUNTIME_DIR/partywall, else partywall-UID in the temporary directory; on Windows
// %PARTYWALL_DIR%, else %LOCALAPPDATA%\partywall. It is made if it is missing, and must be this user's alone: of
// mode 0700, or with an access list that lets nobody else in.
func Dir(path string) Option { return option(func(c *config) { c.place.Dir = path }) }

// Notify has f called after each store of this handle, by the goroutine that has stored. It
// is for those who cannot watch: a window, for example, that is posted a message. f must not
// call [Section.Close].
func Notify(f func()) Option { return option(func(c *config) { c.notify = f }) }

// In puts the section into memory that several processes have mapped for another reason: the
// shared section of a PE image, for example, or a file that somebody else owns. The memory has zeros, or the
// section; every process gives the same bytes, all of them, at an address that is a multiple of 64. It stays the
// caller's, who must not unmap it before Close has returned.
//
// The section lasts as long as the memory. It cannot grow, and has fewer participants: one for each 256
// bytes of the memory. Who is alive is told by process ids and when the processes began, so the processes see each other's
// ids: on Linux they share a pid namespace.
func In(memory []byte) Option { return option(func(c *config) { c.view, c.inView = memory, true }) }

// Holds has [OpenDynamic] create the section if it is not there, and says of what type: "bytes", or the
// fields of a fixed layout with their types, such as "n:uint32", "name:[32]uint8" and "pos.x:float64", which
// lie as Go would lay them out. An existing section grows by the fields that it lacks. [Open] takes no
// notice of it.
func Holds(types ...string) Option {
	return option(func(c *config) { c.holds = append([]string{}, types...) })
}
