package call

import (
	"bytes"
	"testing"
)

func TestCopyBody(t *testing.T) {
	from := make([]byte, copyCached+copyPart)
	for i := range from {
		from[i] = byte(i * 7 >> 3)
	}
	for _, n := range []int{0, 1, copyPart - 1, copyPart, copyPart + 1, 3*copyPart + 5, copyCached, copyCached + 1, len(from)} {
		to := bytes.Repeat([]byte{0xee}, n+1)
		copyBody(to, from[:n])
		if !bytes.Equal(to[:n], from[:n]) || to[n] != 0xee {
			t.Errorf("%d bytes are not copied as they are", n)
		}
		for _, room := range []int{0, n - 1, n, n + 1} {
			into := append(make([]byte, 0, 2+max(room, 0)), "ab"...)
			got := appendBody(into, from[:n])
			if string(got[:2]) != "ab" || !bytes.Equal(got[2:], from[:n]) {
				t.Errorf("%d bytes are not appended as they are where there is room for %d", n, room)
			}
			if room >= n && &got[0] != &into[0] {
				t.Errorf("%d bytes: other memory although there is room for %d", n, room)
			}
		}
	}
}
