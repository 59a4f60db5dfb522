package call

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// The messages on a conn's link. Those with structure are CBOR maps with
// small integers as keys, so that a later version can add to them.
const (
	msgHello    = 1 + iota // client: hello
	msgWelcome             // server: welcome, with the control region
	msgRefuse              // server: refusal; the conn ends
	msgResolve             // client: resolve
	msgResolved            // server: resolved
	msgLend                // client: lend, with a body region
	msgLent                // server: lent
	msgUnlend              // client: unlend
	msgCancel              // client: cancellation
	msgRing                // both: empty
	msgBye                 // server: empty; what was not answered did not run
)

// checkEmpty checks that a message which says all by its kind has no payload.
func checkEmpty(m rendezvous.Message) error {
	if (m.Kind == msgRing || m.Kind == msgBye) && len(m.Payload) != 0 {
		return fmt.Errorf("%w: %d bytes with message %d", partywall.ErrProtocol, len(m.Payload), m.Kind)
	}
	return nil
}

type hello struct {
	Version uint32 `cbor:"1,keyasint"`
	Service string `cbor:"2,keyasint"`
}

type welcome struct {
	Slots      uint32 `cbor:"1,keyasint"`
	ArgRoom    uint32 `cbor:"2,keyasint"`
	ResultRoom uint32 `cbor:"3,keyasint"`
	Quota      uint64 `cbor:"4,keyasint"`
}

type refusal struct {
	Code uint32 `cbor:"1,keyasint"`
	Text string `cbor:"2,keyasint"`
}

// resolve asks for a method. Without schemas it asks what they are.
type resolve struct {
	ID      uint32 `cbor:"1,keyasint"`
	Method  string `cbor:"2,keyasint"`
	Arg     []byte `cbor:"3,keyasint"` // schemas: see form
	Result  []byte `cbor:"4,keyasint"`
	InPlace bool   `cbor:"5,keyasint"`
}

// resolved answers a resolve: with the method's number, or 0 if there is no such
// method, and with the server's schema where it is not, byte for byte, the client's.
type resolved struct {
	ID      uint32 `cbor:"1,keyasint"`
	Method  uint32 `cbor:"2,keyasint"`
	Arg     []byte `cbor:"3,keyasint,omitempty"`
	Result  []byte `cbor:"4,keyasint,omitempty"`
	InPlace bool   `cbor:"5,keyasint"`
}

type lend struct {
	Region uint32 `cbor:"1,keyasint"` // the client's number for it, growing from 1
	Size   uint64 `cbor:"2,keyasint"`
}

type lent struct {
	Region uint32  `cbor:"1,keyasint"`
	Refuse refusal `cbor:"2,keyasint"` // Code 0: accepted
}

type unlend struct {
	Region uint32 `cbor:"1,keyasint"`
}

type cancellation struct {
	Slot uint32 `cbor:"1,keyasint"`
	Seq  uint32 `cbor:"2,keyasint"`
}

// refusals maps the codes of a refusal to sentinels.
var refusals = []error{
	1: partywall.ErrVersion,
	2: partywall.ErrNotFound,
	3: partywall.ErrBusy,
	4: partywall.ErrShutdown,
	5: partywall.ErrProtocol,
	6: partywall.ErrTooLarge,
}

func refusalOf(err error) refusal {
	text := strings.ToValidUTF8(err.Error(), "?") // else it would not decode
	for code, sentinel := range refusals {
		if sentinel != nil && errors.Is(err, sentinel) {
			return refusal{Code: uint32(code), Text: text}
		}
	}
	return refusal{Code: 5, Text: text}
}

// refused is an error that the peer reported.
type refused struct {
	kind error
	text string
}

func (r *refused) Error() string { return r.text }
func (r *refused) Unwrap() error { return r.kind }

func (r refusal) err() error {
	text := cleanText(r.Text)
	if int64(r.Code) < int64(len(refusals)) && refusals[r.Code] != nil {
		return &refused{refusals[r.Code], text}
	}
	return fmt.Errorf("%w: refusal with unknown code %d: %s", partywall.ErrProtocol, r.Code, text)
}

var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{
		MaxNestedLevels:  4,
		MaxArrayElements: 16,
		MaxMapPairs:      16,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
	}.DecMode())
)

// maxMetaKeys bounds the keys of a call's metadata; it fits into maxMeta.
const maxMetaKeys = 64

// metaDecoding is for the metadata of calls, a map of texts.
var metaDecoding = must(cbor.DecOptions{
	MaxNestedLevels: 4,
	MaxMapPairs:     maxMetaKeys,
	IndefLength:     cbor.IndefLengthForbidden,
	TagsMd:          cbor.TagsForbidden,
	DupMapKey:       cbor.DupMapKeyEnforcedAPF,
}.DecMode())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// encode cannot fail for the structs above.
func encode(v any) []byte { return must(encoding.Marshal(v)) }

func decode[T any](payload []byte) (T, error) {
	var v T
	if err := decoding.Unmarshal(payload, &v); err != nil {
		return v, fmt.Errorf("%w: %T message: %w", partywall.ErrProtocol, v, err)
	}
	return v, nil
}
