package section

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/partywall/partywall"
)

// Text returns the text in a field such as a [32]byte, which [PutText] has put there: its bytes up to the
// first zero, or all of them.
//
//	name := section.Text(v.Name[:])
func Text(field []byte) string {
	text, _, _ := bytes.Cut(field, []byte{0})
	return string(text)
}

// PutText puts a text into a field such as a [32]byte, and zeros behind it.
//
//	err := section.PutText(v.Name[:], "left")
//
// A text that fits is kept whole, whatever its characters, and one of just the field's length is not followed
// by a zero. After an error the field is as it was: the error wraps [partywall.ErrTooLarge] and has both sizes,
// if the text does not fit, and otherwise the text has a zero itself, at which it would end.
func PutText(field []byte, text string) error {
	if len(text) > len(field) {
		return fmt.Errorf("%w: the text has %d bytes, and the field room for %d", partywall.ErrTooLarge, len(text), len(field))
	}
	if at := strings.IndexByte(text, 0); at >= 0 {
		return fmt.Errorf("the text has a zero at byte %d, and would end there", at)
	}
	clear(field[copy(field, text):])
	return nil
}
