package compare

import (
	"context"
	"errors"
	"fmt"

	"github.com/partywall/partywall/procmem"
	"github.com/partywall/partywall/winmsg"
)

// ErrNoAnswer: the window has dealt with a message and left the struct as it was. It does not
// know the message, and belongs to some other program.
var ErrNoAnswer = errors.New("it left the request as it was: it is no server of this kind")

// AskInfo sends [CompareImage] to a window and returns what it has made of the argument.
func AskInfo(ctx context.Context, w *winmsg.Window, info MyInfo) (MyInfo, error) {
	result := info
	answer, err := winmsg.Invoke(ctx, w, CompareImage, &result)
	if err != nil {
		return MyInfo{}, err
	}
	return result, understood(w, CompareImage, answer, result == info)
}

// understood returns an error if the answer is not that of a server.
func understood(w *winmsg.Window, msg winmsg.Message, answer uintptr, unchanged bool) error {
	switch {
	case answer != 0:
		return fmt.Errorf("%v answered %v with %d, and a server does with 0: it is no server of this kind", w, msg, answer)
	case unchanged:
		return fmt.Errorf("%v answered %v: %w", w, msg, ErrNoAnswer)
	}
	return nil
}

// AskWindow is [Ask] by a window message: it has the server behind a window compare the images, in
// memory that this process allocates in the server's. The pixels are copied there, and the server
// copies them once more. The error is the source's, that of the request, or Difference's.
func AskWindow(ctx context.Context, w *winmsg.Window, source *Source, options Options) (Verdict, error) {
	pair := source.pair(options.Difference != nil)
	size, err := pair.size(winmsg.MaxBytes, "a request carries")
	if err != nil {
		return Verdict{}, err
	}
	images, err := pair.in(make([]byte, size))
	if err != nil {
		return Verdict{}, err
	}
	options.step(source.task)
	if err := source.decode(ctx, images); err != nil {
		return Verdict{}, err
	}
	options.step("allocate memory in the server")
	var verdict Verdict
	err = w.Lend(ctx, requestSize+size, func(l *winmsg.Loan) error {
		r := pair.request(uint64(l.Address()))
		if err := r.send(ctx, w, l, images, &options); err != nil {
			return err
		}
		verdict = r.Verdict
		return nil
	})
	if err != nil || options.Difference == nil {
		return verdict, err
	}
	return verdict, options.Difference(asImage(images.difference))
}

// requestSize is where the pixels lie in a loan: behind the request.
const requestSize = 384

// unanswered is what Problem says before the server has the request.
const unanswered = "no answer yet"

// request makes the request for pixels that lie behind it, as a body of package call has them.
func (p *Pair) request(address uint64) *PictureRequest {
	at, err := p.places()
	if err != nil {
		panic(err) // the pair has a size
	}
	body := address + requestSize
	r := &PictureRequest{
		Left:  Span{body, at.right},
		Right: Span{body + at.right, at.rightEnd - at.right},
		Pair:  *p,
	}
	if p.Difference != 0 {
		r.Difference = Span{body + at.difference, at.end - at.difference}
	}
	r.setProblem(unanswered)
	return r
}

// send does a request, and fetches what the server has made of it.
func (r *PictureRequest) send(ctx context.Context, w *winmsg.Window, l *winmsg.Loan, images *images, options *Options) error {
	offset := func(s Span) int64 { return int64(s.Address - uint64(l.Address())) }
	if err := procmem.Store(l, 0, *r); err != nil {
		return err
	}
	if _, err := l.WriteAt(images.left.Pix, offset(r.Left)); err != nil {
		return err
	}
	if _, err := l.WriteAt(images.right.Pix, offset(r.Right)); err != nil {
		return err
	}
	options.step("send: " + ComparePictures.String())
	answer, failed := l.Send(ctx, ComparePictures, requestSize, 0)
	if failed != nil && !errors.Is(failed, winmsg.ErrRefused) {
		return failed
	}
	result, err := procmem.Load[PictureRequest](l, 0)
	if err != nil {
		return err
	}
	problem := result.problem()
	if failed != nil {
		if problem != "" && problem != unanswered {
			failed = fmt.Errorf("%w: %s", failed, problem)
		}
		return failed
	}
	if err := understood(w, ComparePictures, answer, problem == unanswered); err != nil {
		return err
	}
	r.Verdict = result.Verdict
	if r.Difference.Size == 0 {
		return nil
	}
	_, err = l.ReadAt(images.difference.Pix, offset(r.Difference))
	return err
}
