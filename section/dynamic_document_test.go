package section_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/partywall/partywall/section"
)

type report struct {
	Title string            `json:"title"`
	Notes map[string]string `json:"notes,omitempty"`
	Parts []piece           `json:"parts,omitempty"`
	Owner *piece            `json:"owner,omitempty"`
	Dots  int               `json:"a.b,omitempty"`
	Key   int               `cbor:"-1,keyasint,omitempty"`
}

type piece struct {
	Name string `json:"name,omitempty"`
	N    int    `json:"n,omitempty"`
}

// In documents too, only what is set changes: also of what this section's schema does not have.
func TestDynamicDocument(t *testing.T) {
	s := open[report](t, "dynamic/document")
	type more struct {
		report
		Extra string `json:"extra,omitempty"`
	}
	d := dynamic(t, "dynamic/document")
	loads(t, d, "title", `""`, 0)
	for i, pair := range [][2]string{
		{"title", `"first"`}, {"notes.a.b", `"x"`}, {"parts", `[{"name":"p"},{"n":3}]`}, {"parts[1].name", `"q"`},
		{"owner.n", "4"}, {"a.b", "5"}, {"-1", "6"},
	} {
		if v, err := set(d, pair[0], pair[1]); err != nil || v != uint64(i+1) {
			t.Fatal(pair, v, err)
		}
		loads(t, d, pair[0], pair[1], uint64(i+1))
	}
	v := must(s.Load())(t)
	if v.Title != "first" || v.Notes["a.b"] != "x" || v.Parts[1] != (piece{"q", 3}) || v.Owner.N != 4 || v.Dots != 5 || v.Key != 6 {
		t.Errorf("%+v", v)
	}
	x := open[more](t, "dynamic/document")
	if err := x.Store(more{report{Title: "second"}, "stays"}); err != nil {
		t.Fatal(err)
	}
	if _, err := set(d, "notes.k", `"v"`, "title", `"third"`); err != nil {
		t.Fatal(err)
	}
	if v := must(x.Load())(t); v.Extra != "stays" || v.Title != "third" || v.Notes["k"] != "v" {
		t.Errorf("%+v", v)
	}
	for field, want := range map[string]string{
		"title": "text", "nosuch": "there is no field", "title.x": "there is no field", "parts[7].n": "there are 0 elements",
		"parts[x]": "there is no field", "owner": "", "": "", "notes": "", "parts.n": "there is no field", "[0]": "there is no field",
	} {
		if _, err := set(d, field, "1"); !errors.Is(err, section.ErrInput) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", field, err)
		}
	}
	var paths []string
	for _, f := range d.Fields() {
		paths = append(paths, f.Path+" "+f.Signature)
	}
	want := "title string|notes map[string]string|parts []{name? string, n? int64}|owner *{name? string, n? int64}|a.b int64|-1 int64"
	if got := strings.Join(paths, "|"); got != want {
		t.Error(got)
	}
	if f, err := d.Field("parts[3].n"); err != nil || f.Signature != "int64" {
		t.Error(f, err)
	}
	if v, err := d.StoreJSON([]byte(`{"title":"new"}`)); err != nil || v != 10 {
		t.Error(v, err)
	}
	loads(t, d, "owner.n", "0", 10)
}
