package pe

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// unknownSize is a file whose size nobody knows.
type unknownSize struct{ *bytes.Reader }

func TestChecksumOfUnknownSize(t *testing.T) {
	s := plain()
	f, err := New(unknownSize{bytes.NewReader(s.draw())}, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := f.ComputeChecksum(); err == nil {
		t.Errorf("the checksum is %#x", sum)
	}
}

// Relocations that only pad cost time too: they are counted.
func TestPaddingCounts(t *testing.T) {
	block := make([]byte, 8+2*maxBlock)
	binary.LittleEndian.PutUint32(block[4:], uint32(len(block)))
	r := relocationReader{left: maxRelocations, yield: func(Relocation, error) bool { return true }}
	blocks := 0
	for ; blocks < 2*maxRelocations/maxBlock; blocks++ {
		r.w = offsets(bytes.NewReader(block), int64(len(block)))
		if _, err := r.block(0, int64(len(block))); err != nil {
			break
		}
	}
	if most := maxRelocations / maxBlock; blocks > most {
		t.Errorf("%d blocks of padding are read, want at most %d", blocks, most)
	}
}
