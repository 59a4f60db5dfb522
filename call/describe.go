package call

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

// A Description is what a service says of itself.
type Description struct {
	Service  string              `json:"service"`
	Version  uint32              `json:"protocol_version"`
	PID      int                 `json:"pid"`     // by the kernel's word
	UID      int                 `json:"uid"`     // by the kernel's word; -1 on Windows
	UserID   string              `json:"user_id"` // the same as os/user.LookupId takes it: on Windows a security identifier
	Program  string              `json:"program"` // the last element of its path
	Started  time.Time           `json:"started"` // when it took its name
	Conns    int                 `json:"conns"`   // clients now, whoever asked among them
	InFlight int                 `json:"in_flight"`
	Calls    uint64              `json:"calls"`  // since it started, those in flight among them
	Errors   uint64              `json:"errors"` // calls whose handler returned an error or panicked
	Methods  []MethodDescription `json:"methods"`
}

// A MethodDescription is a method of a service.
type MethodDescription struct {
	Name    string          `json:"name"`
	InPlace bool            `json:"in_place"`
	Arg     TypeDescription `json:"arg"`
	Result  TypeDescription `json:"result"`
	Calls   uint64          `json:"calls"`
	Errors  uint64          `json:"errors"`

	// Times says how long its handlers took. Of short ones one in eight is timed, and
	// counts for eight.
	Times Times `json:"times"`
}

// A TypeDescription says what an argument or a result is.
type TypeDescription struct {
	Form      string `json:"form"`      // "fixed", "bytes" or "document"
	Signature string `json:"signature"` // for people
	Schema    []byte `json:"-" cbor:"schema"`
}

// describeMethod is the method by which every service describes itself.
var describeMethod = func() *Method[struct{}, Description] {
	c, err := newReserved[struct{}, Description](reserved+"describe", formOf)
	return must(&Method[struct{}, Description]{c}, err)
}()

// Describe asks the service behind the conn what it is, what methods it has, and how
// they are used. The errors are those of [Method.Call].
func (c *Conn) Describe(ctx context.Context) (Description, error) {
	var d Description
	_, err := describeMethod.once(ctx, c, &struct{}{}, &d, &parcel{})
	d.Service, d.PID, d.UID, d.UserID = c.service, c.peer.PID, c.peer.UID, c.peer.User
	d.Program = cleanText(d.Program)
	for i := range d.Methods {
		m := &d.Methods[i]
		for _, text := range []*string{&m.Name, &m.Arg.Form, &m.Arg.Signature, &m.Result.Form, &m.Result.Signature} {
			*text = cleanText(*text)
		}
	}
	return d, err
}

// prepare completes the handlers, of which there will be no more.
func (s *Server) prepare() {
	handlers := s.handlers
	if len(s.config.interceptors) > 0 {
		for _, h := range handlers {
			s.intercept(h)
		}
	}
	describeMethod.Handle(s, func(_ context.Context, _ *In[struct{}], out *Out[Description]) error {
		out.Result = s.description(handlers)
		return nil
	})
	s.past = make([]atomic.Uint64, len(s.handlers))
}

func (s *Server) description(handlers []*handler) Description {
	d := Description{Version: ProtocolVersion, Started: s.started}
	if program, err := os.Executable(); err == nil {
		d.Program = filepath.Base(program)
	}
	calls := make([]uint64, len(handlers))
	s.mu.Lock()
	for i := range calls {
		calls[i] = s.past[i].Load()
	}
	for x := range s.sessions {
		d.Conns++
		d.InFlight += x.inFlight()
		for i := range calls {
			calls[i] += x.calls[i].Load()
		}
	}
	s.mu.Unlock()
	d.InFlight = max(0, d.InFlight-1) // this call
	for i, h := range handlers {
		m := MethodDescription{
			Name:    h.name,
			InPlace: h.inPlace,
			Arg:     h.arg.describe(),
			Result:  h.result.describe(),
			Calls:   calls[i],
			Errors:  h.failed.Load(),
			Times:   h.times.times(),
		}
		d.Calls += m.Calls
		d.Errors += m.Errors
		d.Methods = append(d.Methods, m)
	}
	return d
}

// inFlight counts the handlers that run. One that is overtaken meanwhile is counted
// twice, and not missed: see busy.
func (x *session) inFlight() int {
	n := 0
	if x.role.inside() {
		n++
	}
	return n + int(x.apart.Load())
}

// describe says what a form is. The schema is this process's own, or has been
// checked.
func (f *form) describe() TypeDescription {
	d := TypeDescription{Schema: f.schema}
	switch f.kind {
	case fixedForm:
		d.Form, d.Signature = "fixed", jsonview.FixedSignature(must(fixed.ParseSchema(f.schema)))
	case bytesForm:
		d.Form, d.Signature = "bytes", "bytes"
	case documentForm:
		d.Form, d.Signature = "document", must(document.ParseSchema(f.schema)).Signature()
	}
	return d
}
