package pe

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/partywall/partywall"
)

// sectionDLL is the DLL of the old contract: two sections with one int each.
func sectionDLL(t testing.TB, m Machine) *DLL {
	return &DLL{
		Name:    "SectionDLL.dll",
		Machine: m,
		Vars: []Var{
			mustVar(t, "SectionA:shareDataA:int32=0:getDataA:setDataA"),
			mustVar(t, "SectionB:shareDataB:int32=0:getDataB:setDataB"),
		},
	}
}

var machines = []Machine{AMD64, ARM64, I386}

func TestDLLCheck(t *testing.T) {
	x := Var{Section: "s", Name: "x", Type: Int32}
	with := func(change func(*Var)) []Var {
		v := x
		change(&v)
		return []Var{v}
	}
	var many []Var
	for i := range maxSections {
		many = append(many, Var{Section: fmt.Sprint("s", i), Name: fmt.Sprint("x", i), Type: Int8})
	}
	for _, test := range []struct {
		dll  DLL
		want string
	}{
		{DLL{Vars: []Var{x}}, `DLL "": Name: it is empty`},
		{DLL{Name: `a\b.dll`, Vars: []Var{x}}, "Name: it may not have"},
		{DLL{Name: "ä.dll", Vars: []Var{x}}, "Name: it has to be printable ASCII"},
		{DLL{Name: strings.Repeat("a", 256), Vars: []Var{x}}, "Name: partywall: too large"},
		{DLL{Name: "a.dll"}, `DLL "a.dll": it has neither Vars nor Forwards`},
		{DLL{Name: "a.dll", Machine: ARMNT, Vars: []Var{x}}, "Machine: there are no accessors for 0x1c4"},
		{DLL{Name: "a.dll", Vars: with(func(v *Var) { v.Type = "" })}, `variable "s:x": Type: "" is none`},
		{DLL{Name: "a.dll", Vars: with(func(v *Var) { v.Count = -1 })}, `variable "s:x": Count: -1 is negative`},
		{DLL{Name: "a.dll", Vars: with(func(v *Var) { v.Initial = make([]byte, 5) })}, "Initial: it has 5 bytes, the variable 4"},
		{DLL{Name: "a.dll", Vars: with(func(v *Var) { v.Name = strings.Repeat("x", 5000) })}, "Name: partywall: too large: it has 5000 bytes, at most 4095"},
		{DLL{Name: "a.dll", Vars: []Var{x, x}}, `Name: "x" is exported already, as the variable`},
		{DLL{Name: "a.dll", Vars: []Var{x, {Section: "s", Name: "y", Type: Int8, Private: true}}}, `variable "s:y": Private: the variable "s:x" of the same section`},
		{DLL{Name: "a.dll", Vars: []Var{{Section: "s", Name: "a", Type: Int8, Count: maxDLLData}, x}}, `variable "s:x": Count: partywall: too large`},
		{DLL{Name: "a.dll", Vars: many}, "too large: 96 sections; Windows allows 96, and 3 are the DLL's own"},
		{DLL{Name: "a.dll", Vars: []Var{x}, Forwards: []Forward{{"x", "b.x"}}}, `forward "x": Name: "x" is exported already`},
		{DLL{Name: "a.dll", Forwards: []Forward{{"", "b.x"}}}, "Name: it is empty"},
		{DLL{Name: "a.dll", Forwards: []Forward{{"x", "bx"}}}, `forward "x": Target: "bx" is not DLL.NAME`},
		{DLL{Name: "a.dll", Forwards: []Forward{{"x", "b."}}}, `Target: "b." is not DLL.NAME`},
		{DLL{Name: "a.dll", Forwards: []Forward{{"x", "b c.x"}}}, `Target: "b c.x": names are printable`},
		{DLL{Name: "a.dll", Forwards: []Forward{{"x", "b.#0"}}}, `Target: "b.#0": an ordinal is a number from 1 to 65535`},
		{DLL{Name: "a.dll", Forwards: []Forward{{"x", "b.#65536"}}}, "an ordinal is a number"},
		{DLL{Name: "a.dll", Forwards: []Forward{{"x", "b.#x"}}}, "an ordinal is a number"},
		{DLL{Name: "a.dll", Forwards: []Forward{{"x", "b.DLL.y"}}}, "without .dll"},
		{DLL{Name: "A.dll", Forwards: []Forward{{"x", "a.x"}}}, `Target: "a.x" is this forward itself`},
	} {
		err := test.dll.Check()
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		} else if strings.Contains(test.want, "too large") && !errors.Is(err, partywall.ErrTooLarge) {
			t.Errorf("%v is not ErrTooLarge", err)
		}
		if n, err := test.dll.WriteTo(io.Discard); n != 0 || err == nil {
			t.Errorf("WriteTo wrote %d bytes, %v; want %s", n, err, test.want)
		}
	}
	for _, name := range append([]string{".debug", ".debug$S"}, reservedSections...) {
		d := DLL{Name: "a.dll", Vars: with(func(v *Var) { v.Section = name })}
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), "reserved") {
			t.Errorf("section %s: %v", name, err)
		}
	}
}

// limited accepts so many bytes.
type limited struct{ left int }

func (l *limited) Write(b []byte) (int, error) {
	if n := l.left; n < len(b) {
		return n, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestDLLWriteTo(t *testing.T) {
	var a, b strings.Builder
	for _, w := range []*strings.Builder{&a, &b} {
		if n, err := sectionDLL(t, 0).WriteTo(w); err != nil || n != int64(w.Len()) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	if a.String() != b.String() {
		t.Error("the same DLL is not the same bytes each time")
	}
	if n, err := sectionDLL(t, 0).WriteTo(&limited{100}); n != 100 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func ExampleDLL() {
	shared, err := ParseVar("SectionA:shareDataA:int32=0:getDataA:setDataA")
	if err != nil {
		fmt.Println(err)
		return
	}
	d := DLL{Name: "SectionDLL.dll", Vars: []Var{shared}}
	n, err := d.WriteTo(io.Discard)
	fmt.Println(n, err)
	// Output: 2048 <nil>
}
