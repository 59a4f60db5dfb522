package call

import "slices"

// Go's copy writes a mebibyte and more past the caches, to main memory (runtime/memmove_amd64.s). From there the
// peer, who needs the bytes next, would have to fetch them, so bodies are copied in parts; but not those that
// are too large for the caches anyway. Decision 0031 has the figures.
const (
	copyPart   = 256 << 10
	copyCached = 2 << 20 // what a processor's own caches may hold
)

// copyBody is copy for a body, which the peer reads next or has just written.
func copyBody(to, from []byte) {
	if len(from) <= copyCached {
		for len(from) > copyPart {
			copy(to, from[:copyPart])
			to, from = to[copyPart:], from[copyPart:]
		}
	}
	copy(to, from)
}

// appendBody is append in the same way.
func appendBody(to, from []byte) []byte {
	n := len(to)
	to = slices.Grow(to, len(from))[:n+len(from)]
	copyBody(to[n:], from)
	return to
}
