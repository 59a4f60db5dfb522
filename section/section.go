package section

import (
	"context"
	"errors"
	"iter"
	"reflect"

	"fmt"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
)

// A Section is a handle of one. Its methods may be called concurrently. Each handle that is open is a
// participant, of which a section has up to [Participants]; goroutines of a process had
// better share one.
type Section[T any] struct {
	core *core
	typ  *fixed.Type // of a fixed layout, else nil
}

// Open creates a section, or joins the one of that name. A new one has the zero value of T, as
// version 0.
//
// T has a fixed layout, is a []byte, or can be a document: see the package comment. Where others
// use the section with another T, the fields are matched by their names. If this T has fields
// that the section lacks, the section grows by them. The error wraps [partywall.ErrLayout], and
// names the field, if one has another kind there.
//
// It also wraps [partywall.ErrName], [partywall.ErrAccess] if what lies under the name is not this
// user's, or not a section, [partywall.ErrVersion] if programs of another version of this package use it, and
// [partywall.ErrBusy] if it has no room for another participant, or if a process that opens it has not
// got on for [Patience]. If there is no memory for it, the error is the system's.
func Open[T any](name string, options ...Option) (*Section[T], error) {
	cfg := newConfig(options)
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("section %q: %w", name, err)
	}
	t := reflect.TypeFor[T]()
	want, err := formOf(t, cfg.maxSize)
	if err != nil {
		return nil, fmt.Errorf("section %q: %w", name, err)
	}
	s := &Section[T]{}
	if want.kind == fixedForm {
		if s.typ, err = fixed.OfType(t); err != nil {
			return nil, err
		}
	}
	s.core, err = openCore(name, want, cfg)
	if err != nil {
		return nil, err
	}
	return s, nil
}

var errReadOnly = fmt.Errorf("%w: this handle is open for reading only", partywall.ErrAccess)

// Name returns the section's name.
func (s *Section[T]) Name() string { return s.core.name }

// Close gives back what the handle holds. Operations that are under way end; those that come later, and loops
// that watch, get [os.ErrClosed]. The last handle of all processes removes the section, unless it
// is kept. It is idempotent. A loop over [Section.Watch] may call it.
//
// If another process is stopped while it opens, closes or grows the section, Close waits for it for [Patience], and the error
// wraps [partywall.ErrBusy]; the handle is closed all the same, and what is left behind is cleared away by whoever comes next.
func (s *Section[T]) Close() error { return s.core.wrap(s.core.close()) }

// Load returns the current value. It waits for no other process, and for a fixed layout it makes no
// system call and allocates nothing.
//
// The error wraps [os.ErrClosed]; [partywall.ErrBusy] if writers have been faster than this reader for
// [Patience]; [partywall.ErrProtocol] if what lies there is nothing that this package has
// stored. A section of another user's cannot be opened, so that means a mistake or a fault.
func (s *Section[T]) Load() (v T, err error) {
	if s.core.quick(s.typ, fixed.Bytes(&v)) == noVersion {
		_, err = s.load(noContext, &v)
	}
	return v, err
}

// LoadTo is Load into *v, for values that are too large to be passed around, and returns the
// value's version too: how often the section has been stored. After an error *v may have been
// changed.
func (s *Section[T]) LoadTo(v *T) (version uint64, err error) {
	if version = s.core.quick(s.typ, fixed.Bytes(v)); version != noVersion {
		return version, nil
	}
	return s.load(noContext, v)
}

// load is LoadTo where the quick path has not led to a value. Its patience ends with the context, if that has an end.
func (s *Section[T]) load(ctx context.Context, v *T) (version uint64, err error) {
	if s.typ != nil {
		version, _, err = s.core.read(ctx, s.typ, fixed.Bytes(v))
	} else {
		version, err = s.loadBody(ctx, v)
	}
	if err != nil {
		return 0, s.core.wrap(err)
	}
	return version, nil
}

// loadBody is LoadTo for what has no fixed layout. It is not inlined, as what it does would drag
// *v to the heap, and large values onto the stack, where nothing of this is needed.
//
//go:noinline
func (s *Section[T]) loadBody(ctx context.Context, v *T) (uint64, error) {
	version, data, err := s.core.read(ctx, nil, nil)
	if err != nil {
		return 0, err
	}
	p := new(T)
	if b, ok := any(p).(*[]byte); ok {
		*b = data
	} else if len(data) > 0 { // somebody has stored
		if err := document.Unmarshal(data, p); err != nil {
			return 0, fmt.Errorf("%w: %w", partywall.ErrProtocol, err)
		}
	}
	*v = *p
	return version, nil
}

// Store makes v the current value. If several store at once, the section has their values one after the
// other. A writer that ends at any moment, of whatever cause, has stored all or nothing.
//
// A program whose T lacks fields that the section has leaves them as they are. Documents and
// bytes are replaced as a whole.
//
// The error wraps [os.ErrClosed]; [partywall.ErrAccess] if the handle is read-only;
// [partywall.ErrTooLarge] if v does not fit, see [MaxSize]; [partywall.ErrBusy] and
// [os.ErrDeadlineExceeded] if another process is in the way for [Patience]: one that has been
// stopped while it stored, or stopped while it read a large value. The section is as it was then.
func (s *Section[T]) Store(v T) error {
	_, err := s.StoreFrom(&v)
	return err
}

// StoreFrom is Store of *v, for values that are too large to be passed around, and returns the
// version that it has become.
func (s *Section[T]) StoreFrom(v *T) (version uint64, err error) {
	version, err = s.store(noContext, anyVersion, v)
	return version, s.core.wrap(err)
}

func (s *Section[T]) store(ctx context.Context, expect uint64, v *T) (uint64, error) {
	if s.typ != nil {
		return s.core.store(ctx, expect, &payload{typ: s.typ, data: fixed.Bytes(v)})
	}
	data, err := body(v)
	if err != nil {
		return 0, err
	}
	return s.core.store(ctx, expect, &payload{data: data})
}

// body returns the bytes of a value that has no fixed layout. It is not inlined, as loadBody is not.
//
//go:noinline
func body[T any](v *T) ([]byte, error) {
	value := any(*v)
	if b, ok := value.([]byte); ok {
		return b, nil
	}
	return document.Marshal(value)
}

// Update loads the value, has f change it, and stores it, unless somebody has stored
// meanwhile: then it begins again, so that no update is lost. f may therefore run several times; it holds up
// nobody, however long it takes. If f returns an error, Update returns it and has not stored.
//
// The error wraps the context's if that ends first, and otherwise those of [Section.Store]. The
// context also bounds how long other processes are waited for.
func (s *Section[T]) Update(ctx context.Context, f func(v *T) error) error {
	for {
		if err := context.Cause(ctx); err != nil {
			return s.core.wrap(err)
		}
		v := new(T)
		version := s.core.quick(s.typ, fixed.Bytes(v))
		if version == noVersion {
			var err error
			if version, err = s.load(ctx, v); err != nil {
				return err
			}
		}
		if err := f(v); err != nil {
			return err
		}
		_, err := s.store(ctx, version, v)
		if !errors.Is(err, errStale) {
			return s.core.wrap(err)
		}
	}
}

// A Change is a value that [Section.Watch] has seen.
type Change[T any] struct {
	Value   T
	Version uint64 // how often the section had been stored, this one included
	Skipped uint64 // how many versions came between this and the one before, and were not seen
}

// Watch yields the current value, if any was stored, and then each new one, until the context ends, the
// handle is closed, or the loop is left. The versions strictly increase. A loop that
// is slower than the writers skips versions, but never the newest: when the writers rest, the last
// value comes.
//
// It ends with an error: the context's, [os.ErrClosed], or one of [Section.Load]. While nothing is
// stored it sleeps, costs no processor time, and holds a thread; on Windows the loops of a handle share one.
func (s *Section[T]) Watch(ctx context.Context) iter.Seq2[Change[T], error] {
	return watchWith(ctx, s.core, s.LoadTo)
}

// Await waits until there is a version above known, and returns the newest. It is what [Section.Watch] waits
// with, for values that are too large to be passed around: [Section.LoadTo] loads the one that has come, or
// one that has come after it. Its errors are those of Watch.
func (s *Section[T]) Await(ctx context.Context, known uint64) (version uint64, err error) {
	w := s.core.watch(ctx)
	defer w.done()
	version, err = w.await(known)
	return version, s.core.wrap(err)
}

// check finds options that contradict each other.
func (c *config) check() error {
	switch {
	case c.mustCreate && c.mustExist:
		return errors.New("it cannot have to be there and have to be new: choose one of MustCreate, and MustExist or ReadOnly")
	case c.maxSize < 0 || c.maxSize > maxCell-largeAlign:
		return fmt.Errorf("%w: MaxSize(%d); at most %d are allowed", partywall.ErrTooLarge, c.maxSize, maxCell-largeAlign)
	}
	return nil
}
