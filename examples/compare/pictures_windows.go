package compare

import (
	"fmt"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare/imaging"
	"github.com/partywall/partywall/procmem"
)

// answer is the server's side of [ComparePictures]: it fills in Verdict, or Problem.
func (r *PictureRequest) answer() error {
	verdict, err := r.compare()
	if err != nil {
		r.Verdict = Verdict{}
		r.setProblem(err.Error())
		return err
	}
	r.Verdict = verdict
	r.setProblem("")
	return nil
}

// compare works on copies of the pixels: what the client lends it can change, or free, at any
// moment. Nothing that the request says is believed. The memory is looked at before there is
// a copy of its size, so a request costs this process no more than its sender has
// allocated.
func (r *PictureRequest) compare() (Verdict, error) {
	if _, err := r.Pair.size(call.MaxBody, carries); err != nil {
		return Verdict{}, err
	}
	at, err := r.Pair.places()
	if err != nil {
		return Verdict{}, err
	}
	if err := r.check(at); err != nil {
		return Verdict{}, err
	}
	body := make([]byte, at.end)
	if err := r.Left.fetch(body[:at.right]); err != nil {
		return Verdict{}, fmt.Errorf("left image: %w", err)
	}
	if err := r.Right.fetch(body[at.right:at.rightEnd]); err != nil {
		return Verdict{}, fmt.Errorf("right image: %w", err)
	}
	images, err := r.Pair.in(body)
	if err != nil {
		return Verdict{}, err
	}
	verdict, err := images.verdict()
	if err == nil && images.difference != nil {
		err = r.deliver(images.difference)
	}
	return verdict, err
}

// check compares what the request says of its memory with what its images need, and with the memory
// that there is.
func (r *PictureRequest) check(at places) error {
	parts := []struct {
		name string
		Span
		need uint64
	}{
		{"left image", r.Left, at.right},
		{"right image", r.Right, at.rightEnd - at.right},
		{"image of the differences", r.Difference, 0},
	}
	if r.Pair.Difference != 0 {
		parts[2].need = at.end - at.difference
	}
	var spans []Span
	for _, p := range parts {
		if p.Size != p.need {
			return fmt.Errorf("%s: the request has %d bytes for it, it needs %d", p.name, p.Size, p.need)
		}
		if p.Size == 0 {
			continue
		}
		if _, err := p.end(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for i, s := range spans {
			if p.overlaps(s) {
				return fmt.Errorf("%s: its memory overlaps that of the %s", p.name, parts[i].name)
			}
		}
		spans = append(spans, p.Span)
	}
	return checkLent(spans...)
}

// fetch copies what the span has, as the system copies: memory that has gone is an error.
func (s Span) fetch(to []byte) error {
	_, err := procmem.Self().ReadAt(to, int64(s.Address))
	return err
}

// deliver writes the image of the differences to where the client wants it, if the memory is
// still what it was.
func (r *PictureRequest) deliver(m *imaging.Frame) error {
	err := checkLent(r.Difference)
	if err == nil {
		_, err = procmem.Self().WriteAt(m.Pix, int64(r.Difference.Address))
	}
	if err != nil {
		return fmt.Errorf("image of the differences: %w", err)
	}
	return nil
}
