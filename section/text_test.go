package section_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/section"
)

func TestTexts(t *testing.T) {
	for _, text := range []string{"", "left", "grün", "12345678", "日本"} {
		field := []byte("xxxxxxxx")
		if err := section.PutText(field, text); err != nil {
			t.Fatal(err)
		}
		if got := section.Text(field); got != text || strings.Trim(string(field[len(text):]), "\x00") != "" || utf8.ValidString(got) != utf8.ValidString(text) {
			t.Errorf("%q became %q in %q", text, got, field)
		}
	}
	field := []byte("before")
	err := section.PutText(field, "日本日")
	if !errors.Is(err, partywall.ErrTooLarge) || !strings.Contains(err.Error(), "9 bytes, and the field room for 6") {
		t.Error(err)
	}
	if err := section.PutText(field, "a\x00b"); err == nil || errors.Is(err, partywall.ErrTooLarge) {
		t.Error(err)
	}
	if string(field) != "before" {
		t.Errorf("%q", field)
	}
	if section.Text(nil) != "" || section.PutText(nil, "") != nil {
		t.Error("no field")
	}
}

func ExamplePutText() {
	var v struct {
		Name [16]byte
		Jobs uint32
	}
	if err := section.PutText(v.Name[:], "grün"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(section.Text(v.Name[:]))
	fmt.Println(section.PutText(v.Name[:], "a name that is rather long"))
	// Output:
	// grün
	// partywall: too large: the text has 26 bytes, and the field room for 16
}
