package jsonview

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/partywall/partywall/internal/document"
)

func (r *documentReader) list(n *document.Node) *fault {
	if r.null() {
		return r.scalar(nil)
	}
	start, count := r.out.Len(), 0
	f := r.array("an array", func(int) *fault {
		count++
		return r.value(n.Elem)
	})
	if f == nil {
		r.head(start, majorArray, uint32(count))
	}
	return f
}

func (r *documentReader) fixedArray(n *document.Node) *fault {
	return r.exactly(int64(n.Len), func(int) uint32 { return n.Elem })
}

func (r *documentReader) tuple(n *document.Node) *fault {
	return r.exactly(int64(len(n.Fields)), func(i int) uint32 { return n.Fields[i].Type })
}

// exactly reads an array of length elements or fewer, and makes those that are not
// there null, which decodes to zero. The type of element i is node typeOf(i).
func (r *documentReader) exactly(length int64, typeOf func(i int) uint32) *fault {
	need := fmt.Sprintf("an array of %d", length)
	start, count := r.out.Len(), int64(0)
	f := r.array(need, func(i int) *fault {
		if count == length {
			return tooMany(need)
		}
		count++
		return r.value(typeOf(i))
	})
	if f != nil {
		return f
	}
	rest := length - count
	if rest > int64(document.MaxSize-r.out.Len()) {
		return tooLarge()
	}
	r.out.Write(bytes.Repeat([]byte{simpleNull}, int(rest)))
	r.head(start, majorArray, uint32(length))
	return nil
}

func (r *documentReader) mapping(n *document.Node) *fault {
	if r.null() {
		return r.scalar(nil)
	}
	key := &r.schema.Nodes[n.Key]
	return r.members(func(name string) *fault {
		if key.Kind == document.String {
			return r.scalar(name)
		}
		return r.integerKey(name, integerType(key))
	}, func(string) *fault {
		return r.value(n.Elem)
	})
}

// integerKey writes a key that is an integer.
func (r *documentReader) integerKey(name string, t integer) *fault {
	if !decimal(name) {
		return faultf("key %s is no %v in decimal", quote(name), t)
	}
	v, f := t.parse(name)
	switch {
	case f != nil:
		f.text = "key " + f.text
		return f
	case t.signed:
		return r.scalar(int64(v))
	}
	return r.scalar(v)
}

// decimal reports whether name is an integer as it is usually written, so that no two
// names are the same key.
func decimal(name string) bool {
	digits := strings.TrimPrefix(name, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == "" && (digits[0] != '0' || name == "0")
}

func (r *documentReader) structure(n *document.Node) *fault {
	var field *document.Field
	return r.members(func(name string) *fault {
		i := r.fields.find(n, name)
		if i < 0 {
			return unknownField(name, fieldNames(n))
		}
		field = &n.Fields[i]
		if !field.Keyed {
			return r.scalar(name)
		}
		v, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			panic("jsonview: key " + name + " in a schema")
		}
		return r.scalar(v)
	}, func(string) *fault {
		return r.value(field.Type)
	})
}

// members reads an object as a map. The functions write a key and read its value.
func (r *documentReader) members(key, value func(name string) *fault) *fault {
	base, start := len(r.parts), r.out.Len()
	f := r.object("an object", func(name string) *fault {
		p := part{name: name, start: r.out.Len()}
		if f := key(name); f != nil {
			return f
		}
		p.value = r.out.Len()
		if f := value(name); f != nil {
			return f.below(member(name))
		}
		p.end = r.out.Len()
		r.parts = append(r.parts, p)
		return nil
	})
	if f != nil {
		return f
	}
	parts := r.parts[base:]
	r.parts = r.parts[:base]
	if f := r.sort(start, parts); f != nil {
		return f
	}
	r.head(start, majorMap, uint32(len(parts)))
	return nil
}

// sort puts the parts, which begin at start and end with the document, in the order
// of their keys' bytes.
func (r *documentReader) sort(start int, parts []part) *fault {
	out := r.out.Bytes()
	order := func(a, b part) int { return bytes.Compare(out[a.start:a.value], out[b.start:b.value]) }
	sorted := slices.IsSortedFunc(parts, order)
	if !sorted {
		slices.SortFunc(parts, order)
	}
	for i := 1; i < len(parts); i++ {
		if order(parts[i-1], parts[i]) == 0 {
			return twice(parts[i].name)
		}
	}
	if sorted {
		return nil
	}
	r.scratch = append(r.scratch[:0], out[start:]...)
	r.out.Truncate(start)
	for _, p := range parts {
		r.out.Write(r.scratch[p.start-start : p.end-start])
	}
	return nil
}

// head puts the head of an array or map before what has been written from start on:
// how many items there are is known only then.
func (r *documentReader) head(start int, major byte, count uint32) {
	var b [5]byte
	h := appendHead(b[:0], major, count)
	r.out.Write(h)
	out := r.out.Bytes()[start:]
	copy(out[len(h):], out)
	copy(out, h)
}
