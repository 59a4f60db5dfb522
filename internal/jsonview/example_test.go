package jsonview_test

import (
	"fmt"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

func Example() {
	type frame struct {
		Width, Height uint32
		Name          [8]uint8
	}
	typ, err := fixed.Of[frame]() // or ParseSchema, of what a peer has sent
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(jsonview.FixedSignature(typ.Schema()))

	value, err := jsonview.FixedFromJSON(typ.Schema(), []byte(`{"Name": "left", "Width": 640}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := jsonview.FixedToJSON(typ.Schema(), value)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text))

	_, err = jsonview.FixedFromJSON(typ.Schema(), []byte(`{"width": 640}`))
	fmt.Println(err)
	_, err = jsonview.FixedFromJSON(typ.Schema(), []byte(`{"Width": -1}`))
	fmt.Println(err)
	// Output:
	// {Width uint32, Height uint32, Name [8]uint8}
	// {"Width":640,"Height":0,"Name":"left"}
	// unknown field "width"; did you mean Width? The fields are Width, Height and Name
	// Width: -1 is out of range for uint32 (0 to 4294967295)
}
