package imaging

import (
	"bytes"
	"testing"
)

// FuzzDecode gives any bytes to Decode. Its corpus, one small file of each kind,
// lies in testdata.
func FuzzDecode(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		header, err := ReadHeader(r)
		if err != nil {
			return
		}
		size, err := header.Size()
		if err != nil {
			t.Fatalf("ReadHeader let %v pass: %v", header, err)
		}
		if size > 1<<20 {
			return // legal, but slow
		}
		frame, err := Decode(r, make([]byte, size))
		if err != nil {
			return
		}
		if frame.Header() != header {
			t.Fatalf("decoded %v, header %v", frame.Header(), header)
		}
		if result, err := Compare(frame, frame, nil); err != nil || !result.Equal() {
			t.Fatalf("%+v, %v", result, err)
		}
	})
}
