//go:build linux || windows

package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
)

// What only a client has, to be told lies about.
var (
	lieWide = NewMethod[[room + 1]byte, lieSum]("lie.wide")
	lieLoop = NewMethod[lieRing, lieSum]("lie.loop")
)

// lieRing is a type within itself.
type lieRing struct {
	Next *lieRing
	All  []lieRing
}

func wideOnce(ctx context.Context, c *Conn) error {
	_, err := lieWide.Call(ctx, c, [room + 1]byte{})
	return err
}

func loopOnce(ctx context.Context, c *Conn) error {
	_, err := lieLoop.Call(ctx, c, lieRing{Next: &lieRing{}})
	return err
}

// documentOf is the schema of nodes, which have to be well formed.
func documentOf(nodes ...document.Node) []byte {
	return must((&document.Schema{Nodes: nodes}).MarshalBinary())
}

// nodes is a schema as it is on the wire, of items that are each one byte.
func nodes(items ...byte) []byte { return append(bytes.Clone(documentMagic), items...) }

// fixedOf is the schema of a layout of that size without fields.
func fixedOf(size uint32) []byte {
	return must((&fixed.Schema{Size: size, Align: 1}).MarshalBinary())
}

// unrolled is the schema of a lieRing that leads back to itself after n turns.
func unrolled(n uint32) []byte {
	var all []document.Node
	for i := range n {
		next, pointer, list := (i+1)%n*3, i*3+1, i*3+2
		all = append(all,
			document.Node{Kind: document.Struct, Fields: []document.Field{{Name: "Next", Type: pointer}, {Name: "All", Type: list}}},
			document.Node{Kind: document.Nullable, Elem: next},
			document.Node{Kind: document.List, Elem: next})
	}
	return documentOf(all...)
}

// doubling is a schema of n structs, of which each has the next one twice: so its type
// has 2^n fields.
func doubling(n uint32) []byte {
	var all []document.Node
	for i := range n {
		all = append(all, document.Node{Kind: document.Struct, Fields: []document.Field{
			{Name: "A", Type: i + 1, Optional: true}, {Name: "B", Type: i + 1, Optional: true}}})
	}
	return documentOf(append(all, document.Node{Kind: document.Int, Bits: 64})...)
}

// chainOfLists is a schema of n lists within each other.
func chainOfLists(n uint32) []byte {
	var all []document.Node
	for i := range n {
		all = append(all, document.Node{Kind: document.List, Elem: i + 1})
	}
	return documentOf(append(all, document.Node{Kind: document.Bool})...)
}

// notSchemas are schemas of documents that are none.
var notSchemas = map[string][]byte{
	"nothing":         nodes(),
	"a-break":         nodes(0xff),
	"kind-zero":       nodes(0x81, 0x81, 0x00),
	"huge-count":      nodes(0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
	"trailing":        nodes(0x81, 0x81, 0x01, 0x00),
	"elem-of-nobody":  nodes(0x81, 0x82, 0x0a, 0x05),
	"nullable-twice":  nodes(0x82, 0x82, 0x0f, 0x01, 0x82, 0x0f, 0x00),
	"nullable-itself": nodes(0x81, 0x82, 0x0f, 0x00),
	"array-of-itself": nodes(0x81, 0x83, 0x0b, 0x01, 0x00),
	"struct-itself":   nodes(0x81, 0x82, 0x0d, 0x81, 0x83, 0x61, 'A', 0x00, 0x00),
	"array-too-large": nodes(0x82, 0x83, 0x0b, 0x1a, 0xff, 0xff, 0xff, 0xff, 0x01, 0x81, 0x01),
	"field-twice":     nodes(0x82, 0x82, 0x0d, 0x82, 0x83, 0x61, 'A', 0x01, 0x00, 0x83, 0x61, 'A', 0x01, 0x00, 0x81, 0x01),
	"field-ugly":      nodes(0x82, 0x82, 0x0d, 0x81, 0x83, 0x61, 0x1b, 0x01, 0x00, 0x81, 0x01),
	"deep":            append(nodes(), bytes.Repeat([]byte{0x81}, 100_000)...),
	"long":            append(nodes(0x99, 0xff, 0xff), make([]byte, document.MaxSchema)...),
}

// schemaLies are lies about what a method is.
var schemaLies = slices.Concat([]serverLie{
	{name: "resolved-notes-others", do: smallNote, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.Result = lieLoop.arg.schema
	})},
	{name: "resolved-notes-fixed", do: smallNote, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.Arg = lieAdd.arg.schema
	})},
	{name: "resolved-notes-bytes", do: smallNote, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.Arg = bytesSchema
	})},
	{name: "resolved-notes-in-place", do: smallNote, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) { r.InPlace = true })},
	{name: "resolved-bytes-are-notes", do: bytesEchoed(10, 0), want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.Arg, r.Result = lieNotes.arg.schema, lieNotes.result.schema
	})},
	{name: "resolved-fixed-is-a-document", want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.Arg = lieNotes.arg.schema
	})},
	{name: "resolved-fixed-huge", want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) { r.Arg = fixedOf(1 << 30) })},
	{name: "resolved-not-in-place", do: inPlace, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) { r.InPlace = false })},
	{name: "resolved-place-is-a-document", do: inPlace, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.InPlace, r.Arg = true, lieNotes.arg.schema
	})},
	{name: "resolved-no-room", do: wideOnce, prepare: resolving(func(*resolved) {})},
	{name: "resolved-most-nodes", do: smallNote, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.Arg = chainOfLists(60_000)
	})},
	{name: "resolved-doubling", do: loopOnce, want: partywall.ErrLayout, lives: true, prepare: resolving(func(r *resolved) {
		r.Arg = doubling(10_000)
	})},
	// The same type, said in another way.
	{name: "resolved-unrolled", do: loopOnce, want: errNone, lives: true, prepare: resolving(func(r *resolved) { r.Arg = unrolled(10_000) })},
}, garbageSchemas("resolved-notes-", slices.Sorted(maps.Keys(notSchemas)), smallNote, func(r *resolved, schema []byte) { r.Result = schema }))

// garbageSchemas answers a look-up with each of those schemas.
func garbageSchemas(prefix string, names []string, do func(context.Context, *Conn) error, put func(*resolved, []byte)) (lies []serverLie) {
	for _, name := range names {
		lies = append(lies, serverLie{name: prefix + name, do: do, prepare: resolving(func(r *resolved) { put(r, notSchemas[name]) })})
	}
	return lies
}

// dynamically asks what lie.add is, and calls it with an argument that is zero, and a body.
func dynamically(ctx context.Context, c *Conn) error {
	m, err := c.Method(ctx, "lie.add")
	if err != nil {
		return err
	}
	for _, d := range []TypeDescription{m.Arg(), m.Result()} {
		if len(d.Signature) > 1000 || cleanText(d.Signature) != d.Signature {
			return fmt.Errorf("the signature %.2000q", d.Signature)
		}
	}
	_, body, err := m.CallJSON(ctx, nil, []byte("body"), nil)
	if err == nil && string(body) != "body" {
		err = fmt.Errorf("%w: a body of %d bytes", errWrong, len(body))
	}
	return err
}

// unreadable wants a result that cannot be read, on a conn that lives.
func unreadable(do func(context.Context, *Conn) error) func(context.Context, *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		err := do(ctx, c)
		if errors.Is(err, partywall.ErrLayout) || errors.Is(err, partywall.ErrProtocol) && c.Err() == nil {
			return nil
		}
		return fmt.Errorf("a result that cannot be read: %w", err)
	}
}

// saidToBe answers the first look-up with schemas.
func saidToBe(arg, result []byte, inPlace bool) func(*lyingServer) {
	return resolving(func(r *resolved) { r.Arg, r.Result, r.InPlace = arg, result, inPlace })
}

// saidToBeBoth is saidToBe with one schema for both, which takes a while to make: it is
// made when it is asked for, not in every process of these tests, and not within a handshake.
func saidToBeBoth(schema func(n uint32) []byte, n uint32) func(*lyingServer) {
	return resolving(func(r *resolved) {
		b := schema(n)
		r.Arg, r.Result, r.InPlace = b, b, false
	})
}

// dynamicLies are told to a client that learns from the server what a method is.
var dynamicLies = slices.Concat([]serverLie{
	{name: "dynamic-no-lie", do: dynamically, want: errNone, lives: true, prepare: saidToBe(lieAdd.arg.schema, lieAdd.result.schema, false)},
	{name: "dynamic-in-place", do: dynamically, want: errNone, lives: true, prepare: saidToBe(lieAdd.arg.schema, lieAdd.result.schema, true)},
	{name: "dynamic-none", do: dynamically, want: partywall.ErrNotFound, lives: true, prepare: resolving(func(r *resolved) { r.Method = 0 })},
	{name: "dynamic-nothing", do: dynamically, prepare: saidToBe(nil, nil, false)},
	{name: "dynamic-result-alone", do: dynamically, prepare: saidToBe(nil, lieAdd.result.schema, false)},
	{name: "dynamic-no-kind", do: dynamically, prepare: saidToBe([]byte("pwx\x01"), lieAdd.result.schema, false)},
	{name: "dynamic-bytes-and-more", do: dynamically, prepare: saidToBe([]byte("pwb\x01\x00"), lieAdd.result.schema, false)},
	{name: "dynamic-ugly", do: dynamically, prepare: saidToBe([]byte(strings.Replace(string(lieAdd.arg.schema), "A", "\x1b", 1)), lieAdd.result.schema, false)},
	{name: "dynamic-argument-over-room", do: dynamically, prepare: saidToBe(fixedOf(room+1), lieAdd.result.schema, false)},
	{name: "dynamic-result-over-room", do: dynamically, prepare: saidToBe(lieAdd.arg.schema, fixedOf(room+1), false)},
	{name: "dynamic-document-in-place", do: dynamically, prepare: saidToBe(lieNotes.arg.schema, lieAdd.result.schema, true)},

	{name: "dynamic-result-short", do: dynamically, prepare: saidToBe(lieAdd.arg.schema, lieAdd.result.schema, false),
		lie: answering(func(f *responseFields) { f.resultLen = 0 })},
	{name: "dynamic-result-long", do: dynamically, prepare: saidToBe(lieAdd.arg.schema, lieAdd.result.schema, false),
		lie: answering(func(f *responseFields) { f.resultLen++ })},
	{name: "dynamic-result-beyond-the-region", do: dynamically, prepare: saidToBe(lieAdd.arg.schema, bytesSchema, false),
		lie: answering(func(f *responseFields) { f.resultLen = page64K })},
	{name: "dynamic-body-wraps", do: dynamically, prepare: saidToBe(lieAdd.arg.schema, bytesSchema, false),
		lie: answering(func(f *responseFields) { f.resultLen, f.bodyLen = 512, math.MaxUint64-511 })},
	{name: "dynamic-in-place-kept", do: dynamically, prepare: saidToBe(lieAdd.arg.schema, lieAdd.result.schema, true),
		lie: answering(func(f *responseFields) { f.status, f.bodyLen = statusKept, 200_000 })},
	{name: "dynamic-in-place-short", do: dynamically, prepare: saidToBe(lieAdd.arg.schema, lieAdd.result.schema, true),
		lie: answering(func(f *responseFields) { f.resultLen = 0 })},
	{name: "dynamic-in-place-body-huge", do: dynamically, want: errNone, lives: true, prepare: saidToBe(lieAdd.arg.schema, lieAdd.result.schema, true),
		lie: answering(func(f *responseFields) { f.bodyLen = math.MaxUint64 })},

	{name: "dynamic-doubling", do: unreadable(dynamically), want: errNone, lives: true, prepare: saidToBeBoth(doubling, 10_000)},
	{name: "dynamic-chain", do: unreadable(dynamically), want: errNone, lives: true, prepare: saidToBeBoth(chainOfLists, 60_000)},
	{name: "dynamic-unrolled", do: unreadable(dynamically), want: errNone, lives: true, prepare: saidToBeBoth(unrolled, 10_000)},
	{name: "dynamic-garbage-result", do: func(ctx context.Context, c *Conn) error {
		for range notDocuments {
			if err := unreadable(dynamically)(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}, want: errNone, lives: true, prepare: func(l *lyingServer) {
		l.onResolve = func(ask resolve) error {
			r := resolved{ID: ask.ID, Method: addNumber}
			if len(ask.Arg) == 0 {
				r.Arg, r.Result = lieNotes.arg.schema, lieNotes.result.schema
			}
			return l.send(msgResolved, encode(r))
		}
	}, lie: garbageOf(notDocuments)},
}, garbageSchemas("dynamic-result-", []string{"nothing", "struct-itself", "deep"}, dynamically, func(r *resolved, schema []byte) { r.Arg, r.Result = lieAdd.arg.schema, schema }))
