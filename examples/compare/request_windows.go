package compare

import (
	"bytes"
	"unicode/utf8"

	"github.com/partywall/partywall/winmsg"
)

// WindowTitle is the title that the server's window has unless another is chosen.
const WindowTitle = "CompareServer"

// The messages that the server's window answers. wParam is the size of the struct that lies at
// lParam, in the server's process; [winmsg.Invoke] sends them so. The answer is 0, or -1 for a request
// that the server does not take.
const (
	CompareImage    = winmsg.User + 100 // a MyInfo
	ComparePictures = winmsg.User + 101 // a PictureRequest
)

// MyInfo is the argument and the result of [CompareImage]. In C it is
//
//	typedef struct { double red; double blue; } MyInfo;
type MyInfo struct{ Red, Blue float64 }

// PictureRequest is the argument and the result of [ComparePictures]: 384 bytes without gaps, the same
// on every processor. The client fills in what comes before Problem, the server the rest.
//
//   - Left and Right are the pixels, as Pair says; each has exactly the size that Pair gives it.
//   - Difference is where the image of the differences is to be painted: NRGBA, 8 bits a
//     channel, 4*Width bytes to a row. Its size is 0, and so is Pair.Difference, if it is not asked
//     for.
//   - No two of them overlap, and each is committed, private memory that can be read and
//     written, as VirtualAllocEx gives it.
//
// Problem says why the answer is -1: UTF-8, filled up with zeros. It is all zeros if the answer is 0, and
// only then Verdict is set.
type PictureRequest struct {
	Left, Right, Difference Span
	Pair                    Pair
	Problem                 [252]byte
	Verdict                 Verdict
}

// Span is memory in the server's process.
type Span struct {
	Address uint64
	Size    uint64 // bytes
}

// setProblem fills in Problem, which takes what fits of the text.
func (r *PictureRequest) setProblem(text string) {
	if len(text) > len(r.Problem) {
		text = text[:len(r.Problem)]
		for !utf8.ValidString(text) && text != "" {
			text = text[:len(text)-1]
		}
	}
	clear(r.Problem[:])
	copy(r.Problem[:], text)
}

// problem returns what Problem says.
func (r *PictureRequest) problem() string {
	text, _, _ := bytes.Cut(r.Problem[:], []byte{0})
	return string(bytes.ToValidUTF8(text, []byte("?")))
}
