package contender

// part is what is copied at once of messages that the caches hold: from a mebibyte on, Go's copy writes
// past them, to main memory, where the other side then has to fetch the bytes from. The C programs do the same.
const (
	part   = 256 << 10
	cached = 2 << 20
)

// copyBytes is copy in parts that stay in the caches.
func copyBytes(to, from []byte) {
	if len(from) <= cached {
		for len(from) > part {
			copy(to, from[:part])
			to, from = to[part:], from[part:]
		}
	}
	copy(to, from)
}
