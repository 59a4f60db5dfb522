package fixed_test

import (
	"fmt"

	"github.com/partywall/partywall/internal/fixed"
)

func Example() {
	type Frame struct {
		Width, Height uint32
		Keyed         bool
	}
	typ, err := fixed.Of[Frame]()
	if err != nil {
		fmt.Println(err)
		return
	}
	shared := make([]byte, typ.Size()) // stands for mapped memory

	out := Frame{Width: 640, Height: 480, Keyed: true}
	typ.Publish(shared, fixed.Bytes(&out))

	var in Frame
	typ.Receive(fixed.Bytes(&in), shared)
	fmt.Printf("%+v\n", in)
	// Output: {Width:640 Height:480 Keyed:true}
}

func ExampleOf() {
	type Person struct {
		Age  uint8
		Name string
	}
	_, err := fixed.Of[Person]()
	fmt.Println(err)
	// Output: not a fixed-layout type: fixed_test.Person: field Name (string): a string points outside the value; use [n]byte and a length
}

func ExampleMatch() {
	type old struct{ Width, Height uint16 }
	type new struct{ Width, Height uint32 }
	before, _ := fixed.Of[old]()
	after, _ := fixed.Of[new]()
	fmt.Println(fixed.Match(before.Schema(), after.Schema()))
	// Output: partywall: layout mismatch: field Width: kind is uint16 here and uint32 there
}

func ExampleUnion() {
	type old struct {
		Temperature float64
		Rain        bool
	}
	type new struct {
		Pressure    uint32
		Temperature float64
	}
	section, _ := fixed.Of[old]()
	program, _ := fixed.Of[new]()
	grown, err := fixed.Union(section.Schema(), program.Schema())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range grown.Fields {
		fmt.Println(f.Offset, f.Path, f.Kind)
	}

	type other struct{ Temperature float32 }
	wrong, _ := fixed.Of[other]()
	_, err = fixed.Union(grown, wrong.Schema())
	fmt.Println(err)
	// Output:
	// 0 Temperature float64
	// 8 Rain bool
	// 16 Pressure uint32
	// partywall: layout mismatch: field Temperature: kind is float32 here and float64 there
}

func ExampleConversion() {
	type section struct {
		Temperature float64
		Rain        bool
	}
	type program struct{ Temperature float64 }
	there, _ := fixed.Of[section]()
	here, _ := fixed.Of[program]()

	now := section{Temperature: 20, Rain: true}
	shared := make([]byte, there.Size()) // stands for mapped memory
	there.Publish(shared, fixed.Bytes(&now))

	// The program stores a value without erasing what it does not know.
	store, err := fixed.NewConversion(here.Schema(), there.Schema())
	if err != nil {
		fmt.Println(err)
		return
	}
	store.Apply(shared, fixed.Bytes(&program{Temperature: 25}))

	there.Receive(fixed.Bytes(&now), shared)
	fmt.Printf("%+v\n", now)
	// Output: {Temperature:25 Rain:true}
}
