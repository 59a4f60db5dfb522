package document_test

import (
	"fmt"

	"github.com/partywall/partywall/internal/document"
)

func Example() {
	type Query struct {
		Text  string
		Limit int
		Tags  []string `cbor:"tags,omitempty"`
	}
	typ, err := document.Of[Query]()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(typ.Schema().Signature())

	data, err := document.Marshal(Query{Text: "wall", Limit: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	var query Query
	err = document.Unmarshal(data, &query)
	fmt.Printf("%d bytes: %+v, %v\n", len(data), query, err)
	// Output:
	// {Text string, Limit int64, tags? []string}
	// 18 bytes: {Text:wall Limit:10 Tags:[]}, <nil>
}

func ExampleOf() {
	type Job struct {
		Name string
		Done chan bool
	}
	_, err := document.Of[Job]()
	fmt.Println(err)
	// Output: not a document type: document_test.Job: field Done (chan bool): a channel belongs to one process; leave it out with the tag `cbor:"-"`
}

func ExampleMatch() {
	type old struct{ Text string }
	type new struct {
		Text string
		Page uint32
	}
	type better struct {
		Text string
		Page uint32 `cbor:",omitempty"`
	}
	before, _ := document.Of[old]()
	after, _ := document.Of[new]()
	fmt.Println(document.Match(after.Schema(), before.Schema()))

	after, _ = document.Of[better]()
	fmt.Println(document.Match(after.Schema(), before.Schema()))
	// Output:
	// partywall: layout mismatch: field Page (uint32) is missing there; tag it omitempty if it may be left out
	// <nil>
}

func ExampleUnmarshal() {
	var names map[string][]string
	err := document.Unmarshal([]byte("\xa1\x65names\x82\x61a\x01"), &names)
	fmt.Println(err)
	// Output: field ["names"][1]: an integer stands where string belongs
}
