//go:build linux || windows

package procmem

import (
	"fmt"
	"testing"
)

func BenchmarkReadAt(b *testing.B) {
	for _, size := range []int{16, 1 << 20} {
		b.Run(fmt.Sprintf("self/%d", size), func(b *testing.B) {
			benchmarkReadAt(b, ours(b, 256), size)
		})
		b.Run(fmt.Sprintf("other/%d", size), func(b *testing.B) {
			m, _ := theirs(b, 256)
			benchmarkReadAt(b, m, size)
		})
	}
}

func benchmarkReadAt(b *testing.B, m memory, size int) {
	buf := make([]byte, size)
	if _, err := m.p.WriteAt(buf, m.base); err != nil { // the pages are there from now on
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.p.ReadAt(buf, m.base); err != nil {
			b.Fatal(err)
		}
	}
}
