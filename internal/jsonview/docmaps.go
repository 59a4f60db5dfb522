package jsonview

import (
	"bytes"

	"github.com/partywall/partywall/internal/document"
)

// any writes the next item, whatever it is.
func (w *documentWriter) any() *fault {
	if w.null() {
		w.out = append(w.out, "null"...)
		return nil
	}
	start := w.at
	h := w.head()
	switch h.major {
	case majorUint, majorNint:
		w.out = append(w.out, h.decimal()...)
		return nil
	case majorBytes:
		w.base64(w.content(h))
		return nil
	case majorText:
		return w.text(h)
	case majorArray:
		w.at = start
		return w.array("a list", -1, func(int) *fault { return w.any() })
	case majorMap:
		w.at = start
		return w.object(w.anyKey, w.any)
	}
	switch h.first {
	case simpleFalse:
		w.out = append(w.out, "false"...)
		return nil
	case simpleTrue:
		w.out = append(w.out, "true"...)
		return nil
	}
	from := len(w.out)
	f := w.float(start, h, 64)
	if f == nil && !bytes.ContainsAny(w.out[from:], `.e"`) {
		w.out = append(w.out, ".0"...) // so that it is not read as an integer
	}
	return f
}

// mapping writes a map of the type n.
func (w *documentWriter) mapping(n *document.Node) *fault {
	key := func() *fault { return w.text(w.head()) }
	if k := &w.schema.Nodes[n.Key]; k.Kind != document.String {
		key = func() *fault { return w.integerKey(integerType(k)) }
	}
	return w.object(key, func() *fault { return w.value(n.Elem) })
}

func (w *documentWriter) integerKey(t integer) *fault {
	w.out = append(w.out, '"')
	f := w.integer(w.head(), t)
	w.out = append(w.out, '"')
	return f
}

// anyKey writes the key of a map of any type. Types with an encoding of their own
// have some that are no texts: those are written as if they were values, in quotes.
func (w *documentWriter) anyKey() *fault {
	start, from := w.at, len(w.out)
	if h := w.head(); h.major == majorArray || h.major == majorMap {
		return h.mismatch("a text")
	}
	w.at = start
	f := w.any()
	if f == nil && w.out[from] != '"' {
		w.out = appendText(w.out[:from], bytes.Clone(w.out[from:]))
	}
	return f
}

// A span is where the JSON of a key stands.
type span struct{ start, end int }

// object writes a map, whose keys and values the functions write.
func (w *documentWriter) object(key, value func() *fault) *fault {
	h := w.head()
	if h.major != majorMap {
		return h.mismatch("a map")
	}
	w.out = append(w.out, '{')
	base := len(w.keys)
	for range int(h.n) {
		k := span{start: len(w.out)}
		if f := key(); f != nil {
			f.text = "key: " + f.text
			return f
		}
		k.end = len(w.out)
		w.keys = append(w.keys, k)
		w.out = append(w.out, ':')
		if f := value(); f != nil {
			return f.below(member(w.name(k)))
		}
		w.out = append(w.out, ',')
	}
	keys := w.keys[base:]
	w.keys = w.keys[:base]
	if f := w.distinct(keys); f != nil {
		return f
	}
	w.end('}')
	return nil
}

// name returns a key as it stands in the JSON, without its quotes.
func (w *documentWriter) name(k span) string { return string(w.out[k.start+1 : k.end-1]) }

// distinct checks that no two keys are the same.
func (w *documentWriter) distinct(keys []span) *fault {
	if w.rising(keys) {
		return nil
	}
	seen := make(map[string]struct{}, len(keys))
	for _, k := range keys {
		name := w.name(k)
		if _, twice := seen[name]; twice {
			return faultf("key %s stands twice", quote(name))
		}
		seen[name] = struct{}{}
	}
	return nil
}

// rising reports whether each key is longer than the one before it, or as long and
// greater: for the most part so they are in deterministic CBOR.
func (w *documentWriter) rising(keys []span) bool {
	for i := 1; i < len(keys); i++ {
		a, b := keys[i-1], keys[i]
		if d := (b.end - b.start) - (a.end - a.start); d < 0 ||
			d == 0 && bytes.Compare(w.out[a.start:a.end], w.out[b.start:b.end]) >= 0 {
			return false
		}
	}
	return true
}
