//go:build !windows

package sections

import (
	"bytes"
	"strings"
	"testing"
)

// Elsewhere the programs say that they are for Windows.
func TestElsewhere(t *testing.T) {
	var out, errs bytes.Buffer
	for what, run := range map[string]func() int{
		"main": func() int { return Main(nil, &out, &errs) },
		"sub":  func() int { return Sub(A, nil, &out, &errs) },
	} {
		errs.Reset()
		if status := run(); status != 1 || !strings.Contains(errs.String(), "Windows") || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: exit status %d, %q", what, status, errs.String())
		}
	}
	if status := Main([]string{"--help"}, &out, &errs); status != 0 || !strings.Contains(out.String(), "--auto") {
		t.Errorf("exit status %d, %q", status, out.String())
	}
}

// What the article lays down.
func TestContract(t *testing.T) {
	var b bytes.Buffer
	d := DLL(0)
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SectionDLL.dll", "SectionA", "SectionB", "setDataA", "getDataA", "setDataB", "getDataB"} {
		if !bytes.Contains(b.Bytes(), []byte(name)) {
			t.Errorf("the DLL has no %s", name)
		}
	}
	if got := A.response(A.Value); got != "A response ,the data is :10" {
		t.Errorf("%q", got)
	}
	if A.Message != 0x464 || B.Message != 0x465 || B.Value != 20 {
		t.Errorf("%+v, %+v", A, B)
	}
}
