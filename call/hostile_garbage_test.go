//go:build linux || windows

package call

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/partywall/partywall/internal/proctest"
)

// notDocuments are bytes that no document of a lieNote has.
var notDocuments = map[string]string{
	"a-break":            "\xff",
	"a-reserved-byte":    "\x1c",
	"a-number":           "\x18\x2a",
	"a-text":             "\x64Text",
	"an-array":           "\x80",
	"a-tag":              "\xd9\xd9\xf7\xa0",
	"a-simple-value":     "\xf8\x20",
	"cut-off":            "\xa1\x64Text\x6aten",
	"cut-off-key":        "\xa3\x64Te",
	"trailing":           "\xa0\x00",
	"no-utf-8":           "\xa1\x64Text\x62\xff\xfe",
	"key-twice":          "\xa2\x64Text\x61a\x64Text\x61b",
	"name-twice":         "\xa1\x65Names\xa2\x61a\x61b\x61a\x61c",
	"another-kind":       "\xa1\x64Text\x01",
	"another-kind-below": "\xa1\x67Numbers\x82\x01\x61a",
	"indefinite-map":     "\xbf\xff",
	"indefinite-array":   "\xa1\x67Numbers\x9f\x01\xff",
	"indefinite-text":    "\xa1\x64Text\x7f\x61a\xff",
	"huge-map":           "\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
	"huge-map-of-32":     "\xba\x7f\xff\xff\xff",
	"huge-array":         "\xa1\x67Numbers\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
	"huge-array-of-32":   "\xa1\x67Numbers\x9a\x7f\xff\xff\xff",
	"huge-text":          "\xa1\x64Text\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
	"huge-text-wraps":    "\xa1\x64Text\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
	"huge-bytes":         "\xa1\x64Text\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
	"huge-number":        "\xa1\x67Numbers\x81\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
	"deep-arrays":        strings.Repeat("\x81", 300) + "\x00",
	"deep-maps":          strings.Repeat("\xa1\x61a", 100) + "\x00",
	"deep-below":         "\xa1\x67Numbers" + strings.Repeat("\x81", 300) + "\x00",
	"deep-tags":          strings.Repeat("\xc1", 300) + "\x00",
	"ugly":               "\xa1\x64Text\x01" + ugly,
	"ugly-key":           "\xa1\x6a" + ugly[:10] + "\xff",
}

// bigNotDocuments have no room in a slot.
var bigNotDocuments = map[string]string{
	"deeper-arrays":      strings.Repeat("\x81", 50_000) + "\x00",
	"deeper-maps":        strings.Repeat("\xa1\x61a", 20_000) + "\x00",
	"deeper-below":       "\xa1\x67Numbers" + strings.Repeat("\x81", 50_000) + "\x00",
	"deeper-tags":        strings.Repeat("\xc1", 50_000) + "\x00",
	"deeper-unknown":     "\xa1\x61x" + strings.Repeat("\x81", 50_000) + "\x00",
	"many-keys-twice":    "\xb9\x40\x00" + strings.Repeat("\x61a\xf6", 0x4000),
	"many-texts":         "\xb9\x27\x10" + strings.Repeat("\x60\x60", 10_000),
	"many-nulls-and-end": "\xa1\x67Numbers\x99\xff\xff" + strings.Repeat("\xf6", 60_000),
	"zeros":              string(make([]byte, page64K-1)),
}

// garbageLies are documents that are none. The server says so of each, and goes on.
var garbageLies = []clientLie{
	{name: "document-garbage", want: served, lie: each(notDocuments, func(l *lyingClient, text string) error {
		copy(l.slot(0).arg, text)
		return l.notRead(requestFields{method: notesNumber, argLen: uint32(len(text))})
	})},
	// So long that it lies in a region, to whose end what it announces may reach.
	{name: "document-garbage-in-region", want: served, lie: each(notDocuments, func(l *lyingClient, text string) error {
		return l.notReadInRegion(text + string(make([]byte, room)))
	})},
	{name: "document-garbage-at-length", want: served, lie: each(bigNotDocuments, (*lyingClient).notReadInRegion)},
}

// each does the same with each of some texts, in the order of their names.
func each(texts map[string]string, do func(l *lyingClient, text string) error) func(*lyingClient) error {
	return func(l *lyingClient) error {
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if err := do(l, texts[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
}

// notReadInRegion wants a document of more bytes than a slot has room for not to be
// read.
func (l *lyingClient) notReadInRegion(text string) error {
	if l.lent1 == nil {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
	}
	if _, err := l.lent1.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return l.notRead(requestFields{method: notesNumber, argLen: uint32(len(text)), region: 1})
}

// notRead wants the server to say that it cannot read the request, in words.
func (l *lyingClient) notRead(fields requestFields) error {
	answer, err := l.ask(0, fields)
	text := l.textOf(0, answer)
	switch {
	case err != nil:
		return err
	case answer.status != statusLayout || answer.bodyLen != 0:
		return fmt.Errorf("the answer is %+v, %q", answer, text)
	case text == "" || len(text) > room || !utf8.ValidString(text):
		return fmt.Errorf("the answer says %q", text)
	}
	return nil
}

// metaOf is a map of n texts, of which each value has length bytes.
func metaOf(n, length int) string {
	m := map[string]string{}
	for i := range n {
		m[string(rune('0'+i))] = strings.Repeat("v", length)
	}
	return string(encode(m))
}

// goodMeta is metadata as an honest client could write it.
var goodMeta = map[string]string{
	"nothing":    "",
	"empty":      "\xa0",
	"one":        "\xa1\x61k\x61v",
	"most-keys":  metaOf(maxMetaKeys, 1),
	"most-bytes": metaOf(1, maxMeta-6),
	"ugly":       "\xa1\x61k\x64\x1b[2J",
}

// notMeta is none, or too much of it.
var notMeta = map[string]string{
	"too-many-keys":     metaOf(maxMetaKeys+1, 1),
	"null":              "\xf6",
	"undefined":         "\xf7",
	"null-value":        "\xa1\x61k\xf6",
	"null-key":          "\xa1\xf6\x61v",
	"a-break":           "\xff",
	"a-number":          "\x01",
	"an-array":          "\x80",
	"a-tag":             "\xc1\xa0",
	"cut-off":           "\xa1\x61k",
	"trailing":          "\xa0\x00",
	"no-utf-8":          "\xa1\x61k\x61\xff",
	"no-utf-8-key":      "\xa1\x61\xff\x61v",
	"key-twice":         "\xa2\x61k\x61v\x61k\x61w",
	"number-as-key":     "\xa1\x01\x61v",
	"number-as-value":   "\xa1\x61k\x01",
	"bytes-as-value":    "\xa1\x61k\x41v",
	"map-as-value":      "\xa1\x61k\xa0",
	"indefinite":        "\xbf\xff",
	"indefinite-text":   "\xa1\x61k\x7f\x61v\xff",
	"huge-map":          "\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
	"huge-map-of-32":    "\xba\x7f\xff\xff\xff",
	"huge-text":         "\xa1\x61k\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
	"huge-text-of-32":   "\xa1\x61k\x7a\xff\xff\xff\xff",
	"deep":              strings.Repeat("\x81", maxMeta-1) + "\x00",
	"deep-below":        "\xa1\x61k" + strings.Repeat("\x81", maxMeta-4) + "\x00",
	"zeros":             string(make([]byte, maxMeta)),
	"zeros-in-the-slot": string(make([]byte, room-pairSize)),
}

// askWithMeta asks a method with metadata, which lies in the slot if it fits.
func (l *lyingClient) askWithMeta(method uint32, text string, status uint32) error {
	s := l.slot(0)
	fields := requestFields{method: method, argLen: uint32(lieCores[method-1].arg.size), metaLen: uint32(len(text)), region: 1}
	clear(s.arg[:fields.argLen])
	if method == notesNumber {
		fields.argLen, s.arg[0] = 1, 0xa0
	}
	copy(s.arg[fields.argLen:], text)
	if _, err := l.lent1.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	if status == statusLayout {
		return l.notRead(fields)
	}
	return l.askFor(0, fields, status)
}

// metaMethods are of each form. The last is nobody's: no interceptor sees it.
var metaMethods = []uint32{addNumber, placeNumber, notesNumber, describeNumber}

// withMeta asks with each of some metadata, which the server answers so.
func withMeta(texts map[string]string, status uint32) func(*lyingClient) error {
	return func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		for _, method := range metaMethods {
			want := status
			if method == describeNumber {
				want = statusDone
			}
			err := each(texts, func(l *lyingClient, text string) error { return l.askWithMeta(method, text, want) })(l)
			if err != nil {
				return fmt.Errorf("method %d: %w", method, err)
			}
		}
		return nil
	}
}

// unreadMetaLies are for a server without interceptors, which does not look at it.
var unreadMetaLies = []clientLie{
	{name: "meta-unread", want: served, lie: withMeta(goodMeta, statusDone)},
	{name: "meta-garbage-unread", want: served, lie: withMeta(notMeta, statusDone)},
}

// interceptedLies are for a server that has interceptors.
var interceptedLies = slices.Concat([]clientLie{
	{name: "meta-read", want: served, lie: withMeta(goodMeta, statusDone)},
	{name: "meta-garbage-read", want: served, lie: withMeta(notMeta, statusLayout)},
}, readChangeLies)

// TestHostileIntercepted attacks a server that looks at what the client says beside
// the argument, and keeps it.
func TestHostileIntercepted(t *testing.T) {
	skipIfWeak(t)
	leaks := proctest.Watch(t)
	v := newVictimServer(t, Intercept(func(ctx context.Context, info *Info, next func(context.Context) error) error {
		kept := maps.Clone(info.Metadata)
		info.Metadata["seen"] = "yes"
		if len(kept) > maxMetaKeys {
			return errors.New("too much metadata")
		}
		return next(ctx)
	}))
	for _, a := range interceptedLies {
		t.Run(a.name, func(t *testing.T) { v.attack(t, a) })
	}
	v.close()
	leaks.Check()
}
