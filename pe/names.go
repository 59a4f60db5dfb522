package pe

import (
	"bytes"
	"fmt"
)

// names reads the names that one call returns.
type names struct {
	w    *window
	left int // bytes
}

func newNames(w *window) *names { return &names{w: w.another(), left: maxNames} }

// at returns the name at an address: the bytes up to the next zero byte.
func (n *names) at(what string, rva uint32) (string, error) {
	var name []byte
	off := int64(rva)
	for len(name) <= maxName {
		b := n.w.cached(off)
		if len(b) == 0 {
			if _, err := n.w.at(off, 1); err != nil {
				return "", damaged(what, rva, err)
			}
			b = n.w.cached(off)
		}
		end := bytes.IndexByte(b, 0)
		if end < 0 {
			name = append(name, b...)
			off += int64(len(b))
			continue
		}
		if len(name)+end > maxName {
			break
		}
		if n.left -= len(name) + end; n.left < 0 {
			return "", fmt.Errorf("%w: the names together have more than %d bytes", ErrFormat, maxNames)
		}
		return string(append(name, b[:end]...)), nil
	}
	return "", malformedAt(rva, "%s has more than %d bytes", what, maxName)
}
