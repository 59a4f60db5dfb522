// Package compare is a service that compares two images, and its client. It shows
// both kinds of methods that package call has:
//
//   - [ComparePixels], "pixels", works in place. The client decodes two files into
//     memory that it leases, the server compares the pixels where they lie and
//     paints the image of the differences behind them, and the client writes that
//     to a file from where it lies. [Ask] does it; no pixel is copied from one
//     process to the other.
//   - [Compare], "compare", takes two files as they are, in a Go struct with slices,
//     and the server decodes them. So it can be called from anywhere.
//
// The figures are the same. The program in server serves both, that in client calls the
// first, and the command the second:
//
//	go run ./examples/compare/server &
//	go run ./examples/compare/client -v a.png b.png difference.png
//	partywall call compare compare --file left=a.png --file right=b.png
//	partywall call compare compare '{"difference": true}' --file left=a.png --file right=b.png --out difference.png
//
// Package trace has the interceptors with which both log their calls.
//
// # Windows
//
// On Windows the two programs speak by window messages instead. The server has a
// window titled CompareServer, and answers there what any program sends it of
// the old contract: a struct's size in wParam, and its address, in memory that the client has
// allocated in the server's process, in lParam. CompareImage carries a MyInfo,
// ComparePictures two images. The client starts the server if there is no such window:
//
//	compare-client.exe
//	compare-client.exe -v a.png b.png difference.png
package compare

import (
	"fmt"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare/imaging"
)

// Service is the name that the example's server takes.
const Service = "compare"

// Quota is what the server has to grant a client in bytes, so that a call can be as large
// as [call.MaxBody].
const Quota = 2 << 30

// Verdict is the result of both methods; package imaging says how each figure is
// counted.
type Verdict struct {
	MSE, PSNR, SSIM        float64 // PSNR in dB: +Inf for equal images; SSIM: NaN below 11x11 pixels
	Differing              uint64  // pixels
	MinX, MinY, MaxX, MaxY uint32  // the smallest box around them: MinX <= x < MaxX
}

// String returns the figures as the client prints them.
func (v Verdict) String() string {
	return fmt.Sprintf("MSE %.4f, PSNR %.2f dB, SSIM %.4f, %d pixels differ", v.MSE, v.PSNR, v.SSIM, v.Differing)
}

// Handle adds the methods to a server.
func Handle(srv *call.Server) {
	ComparePixels.Handle(srv, comparePixels)
	Compare.Handle(srv, newDecoder().compareFiles)
}

// verdict compares the images, and paints the difference if there is room for it.
func (m *images) verdict() (Verdict, error) {
	r, err := imaging.Compare(m.left, m.right, m.difference)
	if err != nil {
		return Verdict{}, err
	}
	return Verdict{
		MSE: r.MSE, PSNR: r.PSNR, SSIM: r.SSIM,
		Differing: r.Differing,
		MinX:      uint32(r.Box.Min.X), MinY: uint32(r.Box.Min.Y),
		MaxX: uint32(r.Box.Max.X), MaxY: uint32(r.Box.Max.Y),
	}, nil
}
