package load

// A Heap is memory that a program holds: small objects that point to each other, so that the collector has them all to
// look at.
type Heap struct{ root *node }

const nodeBytes = 64

type node struct {
	left, right *node
	_           [nodeBytes - 16]byte
}

// NewHeap makes one of so many MiB. Keep it alive.
func NewHeap(mib int) *Heap { return &Heap{tree(mib << 20 / nodeBytes)} }

func tree(n int) *node {
	if n == 0 {
		return nil
	}
	return &node{left: tree((n - 1) / 2), right: tree(n - 1 - (n-1)/2)}
}
