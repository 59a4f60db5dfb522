package section

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"sync/atomic"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/jsonview"
)

// A Dynamic is a handle of a section whose type this program learns of at run time, from
// the section: for tools that do not share its types. Its values are JSON: a struct is an
// object, an array or a slice an array; a [n]byte is also a text of at most n bytes, a []byte is base64, a
// time is RFC 3339, a float that is no number "NaN", "+Inf" or "-Inf". Its methods may be called
// concurrently.
type Dynamic struct {
	core *core
	view atomic.Pointer[view]
}

// ErrInput: what somebody has typed does not suit the section: JSON, the path of a field, or the types given
// to [Holds]. The text says what is wrong, and what is needed there.
var ErrInput = errors.New("bad input")

// inputf makes an error that wraps ErrInput without repeating its words.
func inputf(format string, args ...any) error { return inputError{fmt.Errorf(format, args...)} }

type inputError struct{ error }

func (e inputError) Unwrap() []error { return []error{ErrInput, e.error} }

// OpenDynamic joins the section of that name, whatever it holds. It creates one only if [Holds] says
// of what type. The errors are those of [Open]; the error wraps [partywall.ErrNotFound] if there is
// none.
func OpenDynamic(name string, options ...Option) (*Dynamic, error) {
	cfg := newConfig(options)
	want := form{capacity: cfg.maxSize}
	err := cfg.check()
	if err == nil && cfg.holds != nil {
		want, err = parseTypes(cfg.holds, cfg.maxSize)
	}
	if err != nil {
		return nil, fmt.Errorf("section %q: %w", name, err)
	}
	core, err := openCore(name, want, cfg)
	if err != nil {
		return nil, err
	}
	return &Dynamic{core: core}, nil
}

// Name returns the section's name.
func (d *Dynamic) Name() string { return d.core.name }

// Close is [Section.Close].
func (d *Dynamic) Close() error { return d.core.wrap(d.core.close()) }

// Info says what the section is, and who has it open.
func (d *Dynamic) Info() (Info, error) { return d.core.info() }

// A view is what a region's values are, for as long as the handle is attached to it.
type view struct {
	of *attachment
	shape
}

// current returns the view of the region that the handle is attached to.
func (d *Dynamic) current() (*view, error) {
	a := d.core.at.Load()
	if a == nil {
		return nil, os.ErrClosed
	}
	v := d.view.Load()
	if v == nil || v.of != a {
		v = &view{of: a, shape: newShape(a.form)}
		d.view.Store(v)
	}
	return v, nil
}

// load returns the bytes of the current value as they lie in their region, and the view
// of that.
func (d *Dynamic) load() (v *view, data []byte, version uint64, err error) {
	for {
		if v, err = d.current(); err != nil {
			return nil, nil, 0, err
		}
		if version, data, err = d.core.read(noContext, nil, nil); err != nil {
			return nil, nil, 0, err
		}
		// A handle never comes back to a region, so that it has been in this one throughout.
		if d.core.at.Load() == v.of {
			return v, data, version, nil
		}
	}
}

// LoadJSON returns the current value, or that of a field, and its version. The path of a field is
// pos.x for a field of a struct and points[3] for an element of an array; an empty one is the whole value.
// The errors are those of [Section.Load]; the error wraps [ErrInput] if there is no such field.
func (d *Dynamic) LoadJSON(field string) (text []byte, version uint64, err error) {
	v, data, version, err := d.load()
	if err == nil {
		text, err = v.toJSON(data, field)
	}
	return text, version, d.core.wrap(err)
}

// StoreJSON makes a value the current one, and returns its version. Fields that the JSON leaves out are zero.
// The errors are those of [Section.Store]; the error wraps [ErrInput] if the JSON does not describe a value of
// the section.
func (d *Dynamic) StoreJSON(text []byte) (version uint64, err error) {
	return d.change(noContext, false, func(v *view, _ []byte) ([]byte, error) { return v.fromJSON(text) })
}

// A Setting is a field and its new value.
type Setting struct {
	Field string // its path, as LoadJSON has it
	JSON  []byte
}

// SetJSON changes some fields, all with one version, and leaves the others as they are, bit by bit. It
// does so to the current value, like [Section.Update], and returns the new version. The errors are
// those of [Dynamic.StoreJSON].
//
// In a document, a path may lead through structs and maps, and what is missing on the way is made.
func (d *Dynamic) SetJSON(ctx context.Context, settings ...Setting) (version uint64, err error) {
	return d.change(ctx, true, func(v *view, data []byte) ([]byte, error) {
		for _, s := range settings {
			if data, err = v.set(data, s.Field, s.JSON); err != nil {
				return nil, err
			}
		}
		return data, nil
	})
}

// change stores what f makes of the current value, or with update unset of nothing, until neither
// the version nor the region has changed meanwhile.
func (d *Dynamic) change(ctx context.Context, update bool, f func(v *view, data []byte) ([]byte, error)) (uint64, error) {
	for {
		if err := context.Cause(ctx); err != nil {
			return 0, d.core.wrap(err)
		}
		var data []byte
		expect := anyVersion
		v, err := d.current()
		if err == nil && update {
			v, data, expect, err = d.load()
		}
		if err == nil {
			data, err = f(v, data)
		}
		if err == nil {
			var version uint64
			if version, err = d.core.store(ctx, expect, &payload{data: data, of: v.of}); err == nil {
				return version, nil
			}
		}
		if !errors.Is(err, errStale) {
			return 0, d.core.wrap(err)
		}
	}
}

// WatchJSON is [Section.Watch], of the whole value or of a field; of a field too it yields each version,
// whether the field has changed or not.
func (d *Dynamic) WatchJSON(ctx context.Context, field string) iter.Seq2[Change[json.RawMessage], error] {
	return watchWith(ctx, d.core, func(text *json.RawMessage) (version uint64, err error) {
		*text, version, err = d.LoadJSON(field)
		return version, err
	})
}

// LoadBytes returns the current value of a section that holds bytes, and its version. The error wraps
// [partywall.ErrLayout] if it holds something else.
func (d *Dynamic) LoadBytes() (data []byte, version uint64, err error) {
	v, data, version, err := d.load()
	if err == nil {
		err = v.wantBytes()
	}
	if err != nil {
		return nil, 0, d.core.wrap(err)
	}
	return data, version, nil
}

// StoreBytes is [Section.Store] for a section that holds bytes. The error wraps [partywall.ErrLayout]
// if it holds something else.
func (d *Dynamic) StoreBytes(data []byte) (version uint64, err error) {
	return d.change(noContext, false, func(v *view, _ []byte) ([]byte, error) { return data, v.wantBytes() })
}

// Form returns "fixed", "bytes" or "document".
func (d *Dynamic) Form() string { return d.describe(0) }

// Signature says in one line what the section's type is.
func (d *Dynamic) Signature() string { return d.describe(1) }

func (d *Dynamic) describe(which int) string {
	v, err := d.current()
	if err != nil {
		return ""
	}
	form, signature := v.form.describe()
	return [2]string{form, signature}[which]
}

// A Field is a field of a section's type.
type Field struct {
	Path      string
	Signature string // of its type
}

// Fields lists the fields that have a value of their own: numbers, texts, arrays of numbers, lists, maps; not the structs
// that they are in. There are none in bytes, and in a value that is no struct.
func (d *Dynamic) Fields() []Field {
	v, err := d.current()
	if err != nil {
		return nil
	}
	return v.fields()
}

// Field finds a field, which may be a struct too, by its path. The error wraps [ErrInput] if there is none.
func (d *Dynamic) Field(path string) (Field, error) {
	v, err := d.current()
	if err == nil {
		var signature string
		if signature, err = v.signature(path); err == nil {
			return Field{path, signature}, nil
		}
	}
	return Field{}, d.core.wrap(err)
}

func (v *view) wantBytes() error {
	if v.form.kind != bytesForm {
		return fmt.Errorf("%w: it holds %v, not bytes", partywall.ErrLayout, v.form.kind)
	}
	return nil
}

func bytesToJSON(data []byte) []byte {
	return []byte(`"` + base64.StdEncoding.EncodeToString(data) + `"`)
}

func bytesFromJSON(text []byte) (data []byte, err error) {
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, inputf("the section holds bytes: a text in base64 is needed")
	}
	return data, nil
}

// typed makes an ErrInput of what package jsonview says about JSON that somebody has typed.
func typed(err error) error {
	if errors.Is(err, jsonview.ErrInput) {
		return inputError{err}
	}
	return err
}
