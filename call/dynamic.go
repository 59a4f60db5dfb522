package call

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

// A Dynamic is a method that this program learns of at run time, from the service:
// for tools that do not share its types. It may be used concurrently, and ends with its
// conn.
type Dynamic struct {
	conn   *Conn
	remote *remoteMethod
}

// ErrJSON: the JSON does not describe an argument of the method. The text names the
// place, and says what belongs there.
var ErrJSON = errors.New("bad argument")

// Method asks the service what its method of that name is. The errors are those of
// [Dial] with [Expect].
func (c *Conn) Method(ctx context.Context, name string) (*Dynamic, error) {
	if err := partywall.CheckName(name); err != nil {
		return nil, fmt.Errorf("method %q: %w", name, err)
	}
	r, err := c.lookUp(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	m := &core{name: name, inPlace: r.InPlace}
	m.arg, err = formFrom(r.Arg)
	if err == nil {
		m.result, err = formFrom(r.Result)
	}
	if err == nil && m.inPlace && (m.arg.kind != fixedForm || m.result.kind != fixedForm) {
		err = fmt.Errorf("%w: a method in place whose values have no fixed layout", partywall.ErrProtocol)
	}
	if err == nil {
		err = c.learn(m, r)
	} else {
		err = c.wrap(name, err)
		c.fail(err)
	}
	if err != nil {
		return nil, err
	}
	return &Dynamic{c, &remoteMethod{core: m, number: r.Method}}, nil
}

// Name returns the method's name.
func (d *Dynamic) Name() string { return d.remote.name }

// InPlace reports whether the method works in place: see [NewInPlace].
func (d *Dynamic) InPlace() bool { return d.remote.inPlace }

// Arg says what the method takes.
func (d *Dynamic) Arg() TypeDescription { return d.remote.arg.describe() }

// Result says what the method returns.
func (d *Dynamic) Result() TypeDescription { return d.remote.result.describe() }

// CallJSON is [Method.CallBody] with the argument and the result as JSON. Empty JSON is
// an argument whose fields are all zero. It returns the result, and into with the
// result's body appended; for an [InPlace] method that is the body as the handler has
// left it. The error wraps [ErrJSON] if the argument does not suit the method; the call is then not
// made.
//
// A struct is a JSON object, an array or a slice an array. A [n]byte is also a
// text of at most n bytes, a []byte is base64, a time is RFC 3339, a float that is no
// number "NaN", "+Inf" or "-Inf".
func (d *Dynamic) CallJSON(ctx context.Context, arg, body, into []byte) (result, extended []byte, err error) {
	data, err := d.remote.arg.fromJSON(arg)
	if err != nil {
		return nil, into, d.conn.wrap(d.remote.name, err)
	}
	extended = into
	do := func(ctx context.Context, meta []byte) (err error) {
		result, extended, err = d.once(ctx, &parcel{data, len(data), meta, body, true, into})
		return err
	}
	if c := d.conn; len(c.interceptors) > 0 {
		err = c.intercept(ctx, d.remote.name, do)
	} else {
		err = do(ctx, nil)
	}
	if err != nil {
		return nil, extended, err
	}
	text, err := d.remote.result.toJSON(result)
	if err != nil {
		err = d.conn.wrap(d.remote.name, fmt.Errorf("the result cannot be read: %w", err))
	}
	return text, extended, err
}

// once does one call, as Method.once does.
func (d *Dynamic) once(ctx context.Context, p *parcel) (result, into []byte, err error) {
	c := d.conn
	s, err := c.claim(ctx)
	if err != nil {
		return nil, p.into, c.wrap(d.remote.name, err)
	}
	t := transaction{c, s, d.remote}
	request, err := t.place(ctx, p)
	if err != nil {
		return nil, p.into, t.end(err)
	}
	answer, err := t.exchange(ctx, request)
	if err == nil {
		err = t.check(&answer)
	}
	if err != nil {
		return nil, p.into, t.end(err)
	}
	spilled := c.spillResult(answer.resultLen) != 0
	if !spilled {
		result = bytes.Clone(t.slot.result[:answer.resultLen])
	}
	if d.remote.inPlace {
		if answer.status == statusKept {
			return nil, p.into, t.end(t.broke("a result is kept for a call in place"))
		}
		if into = p.into; len(p.body) > 0 { // else there may be no region
			into = append(into, t.slot.region.bytes()[:len(p.body)]...)
		}
		return result, into, t.end(nil)
	}
	behind, into, err := t.collect(ctx, p, &request, &answer)
	if spilled {
		result = behind
	}
	return result, into, t.end(err)
}

func (f *form) fromJSON(text []byte) (data []byte, err error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return f.zero()
	}
	switch f.kind {
	case fixedForm:
		data, err = jsonview.FixedFromJSON(must(fixed.ParseSchema(f.schema)), text)
	case documentForm:
		data, err = jsonview.DocumentFromJSON(must(document.ParseSchema(f.schema)), text)
	default:
		err = json.Unmarshal(text, &data)
		if err != nil {
			err = errors.New("the argument is bytes: a text in base64 is needed")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	return data, nil
}

func (f *form) toJSON(data []byte) ([]byte, error) {
	switch f.kind {
	case fixedForm:
		return jsonview.FixedToJSON(must(fixed.ParseSchema(f.schema)), data)
	case documentForm:
		return jsonview.DocumentToJSON(must(document.ParseSchema(f.schema)), data)
	}
	return []byte(`"` + base64.StdEncoding.EncodeToString(data) + `"`), nil
}

// zero is a value whose fields are all zero.
func (f *form) zero() ([]byte, error) {
	if f.kind == documentForm {
		return []byte{0xf6}, nil // null
	}
	return make([]byte, f.size), nil
}
