package section

import (
	"reflect"
	"time"

	"github.com/partywall/partywall/internal/fixed"
)

// A Program is a handle whose type is known only at run time: tests make types up. Its values are bytes,
// laid out as the type has them.
type Program struct {
	core *core
	typ  *fixed.Type
}

// OpenProgram is Open for a type with a fixed layout.
func OpenProgram(name string, t reflect.Type, options ...Option) (*Program, error) {
	typ, err := fixed.OfType(t)
	if err != nil {
		return nil, err
	}
	want, err := formOf(t, 0)
	if err != nil {
		return nil, err
	}
	c, err := openCore(name, want, newConfig(options))
	if err != nil {
		return nil, err
	}
	return &Program{c, typ}, nil
}

// Type returns the type's layout.
func (p *Program) Type() *fixed.Type { return p.typ }

// Load is [Section.LoadTo].
func (p *Program) Load(value []byte) (uint64, error) {
	if version := p.core.quick(p.typ, value); version != noVersion {
		return version, nil
	}
	version, _, err := p.core.read(noContext, p.typ, value)
	return version, err
}

// Store is [Section.StoreFrom].
func (p *Program) Store(value []byte) (uint64, error) {
	return p.core.store(noContext, anyVersion, &payload{typ: p.typ, data: value})
}

// Update is [Section.Update].
func (p *Program) Update(f func(value []byte)) error {
	for {
		value := make([]byte, p.typ.Size())
		version, err := p.Load(value)
		if err != nil {
			return err
		}
		f(value)
		if _, err := p.core.store(noContext, version, &payload{typ: p.typ, data: value}); err != errStale {
			return err
		}
	}
}

// Generation returns which region it has mapped, and the layout of that.
func (p *Program) Generation() (uint64, *fixed.Schema) {
	a := p.core.at.Load()
	return a.generation, a.form.fixed
}

// Close is [Section.Close].
func (p *Program) Close() error { return p.core.close() }

// SetPatience makes this process's operations wait for others no longer than d.
func SetPatience(d time.Duration) { endurance = d }
