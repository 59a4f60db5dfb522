package jsonview

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/partywall/partywall/internal/document"
)

// zeroText is the JSON for null.
func zeroText(n *document.Node) string {
	switch n.Kind {
	case document.Bool:
		return "false"
	case document.Int, document.Uint, document.Float:
		return "0"
	case document.String, document.Text:
		return `""`
	case document.Time:
		return `"0001-01-01T00:00:00Z"`
	case document.Array, document.Tuple:
		return "[]"
	case document.Struct:
		return "{}"
	case document.Bytes:
		if n.Len > 0 {
			return `""`
		}
	}
	return "null"
}

// scalar writes the next item, which is neither null nor an array or a map.
func (w *documentWriter) scalar(n *document.Node) *fault {
	start := w.at
	h := w.head()
	switch n.Kind {
	case document.Bool:
		if h.first != simpleFalse && h.first != simpleTrue {
			return h.mismatch("bool")
		}
		w.out = strconv.AppendBool(w.out, h.first == simpleTrue)
		return nil
	case document.Int, document.Uint:
		return w.integer(h, integerType(n))
	case document.Float:
		return w.float(start, h, int(n.Bits))
	case document.String, document.Text:
		return w.text(h)
	case document.Time:
		return w.time(h)
	case document.Bytes:
		return w.bytes(h, n)
	}
	panic("jsonview: " + n.Kind.String() + " in a schema")
}

// mismatch says that an item is of another type than needed.
func (h head) mismatch(need string) *fault {
	return faultf("%s, where %s is needed", h.describe(), need)
}

func (w *documentWriter) integer(h head, t integer) *fault {
	negative := h.major == majorNint
	switch {
	case h.major != majorUint && !negative:
		return h.mismatch(t.String())
	case negative && h.n > math.MaxInt64 || !t.has(h.value(), negative):
		return faultf("%s is out of range for %v", h.decimal(), t)
	}
	w.out = append(w.out, h.decimal()...)
	return nil
}

// value returns the value of an integer, if that has 64 bits.
func (h head) value() uint64 {
	if h.major == majorNint {
		return ^h.n
	}
	return h.n
}

// decimal writes an integer, of which a negative one can have 65 bits.
func (h head) decimal() string {
	switch {
	case h.major == majorUint:
		return strconv.FormatUint(h.n, 10)
	case h.n == math.MaxUint64:
		return "-18446744073709551616"
	}
	return "-" + strconv.FormatUint(h.n+1, 10)
}

// float writes a float of that many bits; the item begins at start.
func (w *documentWriter) float(start int, h head, bits int) *fault {
	var v float64
	switch {
	case h.major == majorUint:
		v = float64(h.n)
	case h.major == majorNint && h.n <= math.MaxInt64:
		v = float64(int64(h.value()))
	case h.major == majorNint:
		return faultf("%s is out of range for %s from an integer", h.decimal(), floatName(bits))
	case h.first == simpleFloat64:
		v = math.Float64frombits(h.n)
	case h.first == simpleFloat32:
		v = float64(math.Float32frombits(uint32(h.n)))
	case h.first == simpleFloat16:
		if err := forms.Unmarshal(w.doc[start:w.at], &v); err != nil {
			return faultf("%v", err)
		}
	default:
		return h.mismatch(floatName(bits))
	}
	if bits == 32 {
		if math.Abs(v) > math.MaxFloat32 && !math.IsInf(v, 0) {
			return faultf("%v is out of range for float32", v)
		}
		v = float64(float32(v))
	}
	w.out = appendFloat(w.out, v, bits)
	return nil
}

// text writes a text, or says that the item is none.
func (w *documentWriter) text(h head) *fault {
	if h.major != majorText {
		return h.mismatch("a text")
	}
	text := w.content(h)
	if !utf8.Valid(text) {
		return faultf("a text that is not UTF-8")
	}
	w.out = appendText(w.out, text)
	return nil
}

func (w *documentWriter) time(h head) *fault {
	if h.major != majorText {
		return h.mismatch("a time as a text")
	}
	written := string(w.content(h))
	t, err := time.Parse(time.RFC3339Nano, written)
	if err != nil {
		return faultf("%s is no time of RFC 3339", quote(written))
	}
	text, err := t.MarshalText()
	if err != nil { // it is one for Parse, with an offset that is too far
		text = []byte(written)
	}
	w.out = appendText(w.out, text)
	return nil
}

func (w *documentWriter) bytes(h head, n *document.Node) *fault {
	if h.major != majorBytes {
		return h.mismatch("bytes")
	}
	v := w.content(h)
	switch {
	case n.Len == 0:
		w.base64(v)
	case int64(len(v)) != int64(n.Len):
		return faultf("%d bytes, where %d are needed", len(v), n.Len)
	default:
		w.out = appendBytes(w.out, v)
	}
	return nil
}

func (w *documentWriter) base64(v []byte) {
	w.out = append(w.out, '"')
	w.out = base64.StdEncoding.AppendEncode(w.out, v)
	w.out = append(w.out, '"')
}
