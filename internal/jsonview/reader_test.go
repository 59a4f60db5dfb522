package jsonview_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/jsonview"
)

func TestBroken(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "the input is empty: a JSON value is needed"},
		{" \n\t", "the input is empty: a JSON value is needed"},
		{"{", "line 1, column 2: a name in double quotes is needed, but the input ends"},
		{"{A:1}", `line 1, column 2: a name in double quotes is needed, not "A"`},
		{`{"A":1,}`, `line 1, column 8: a name in double quotes is needed, not "}"`},
		{`{"A" 1}`, `line 1, column 6: a colon is needed, not "1"`},
		{`{"A":`, "line 1, column 6: a value is needed, but the input ends"},
		{`{"A":}`, `line 1, column 6: a value is needed, not "}"`},
		{`{"A":'x'}`, `line 1, column 6: a value is needed, not "'"`},
		{"{\n  \"A\": 1\n  \"B\": 2\n}", `line 3, column 3: a comma or } is needed, not "\""`},
		{`{"ä":1 ö}`, `line 1, column 8: a comma or } is needed, not "ö"`},
		{"[1 2]", `line 1, column 4: a comma or ] is needed, not "2"`},
		{"[1", "line 1, column 3: a comma or ] is needed, but the input ends"},
		{"[,]", `line 1, column 2: a value is needed, not ","`},
		{"[1,]", `line 1, column 4: a value is needed, not "]"`},
		{"{} {}", `line 1, column 4: the end is needed, not "{"`},
		{"nul", `line 1, column 1: "nul" is no JSON value`},
		{"nullx", `line 1, column 1: "nullx" is no JSON value`},
		{"[tru]", `line 1, column 2: "tru" is no JSON value`},
		{"False", `line 1, column 1: a value is needed, not "F"`},
		{"-", "line 1, column 2: a digit is needed, but the input ends"},
		{"+1", `line 1, column 1: a value is needed, not "+"`},
		{".5", `line 1, column 1: a value is needed, not "."`},
		{"5.", "line 1, column 3: a digit is needed, but the input ends"},
		{"5.e1", `line 1, column 3: a digit is needed, not "e"`},
		{"5e", "line 1, column 3: a digit is needed, but the input ends"},
		{"5e+x", `line 1, column 4: a digit is needed, not "x"`},
		{"01", `line 1, column 2: the end is needed, not "1"`},
		{"0x10", `line 1, column 2: the end is needed, not "x"`},
		{`"abc`, "line 1, column 1: the text has no closing quote"},
		{`"abc\`, "line 1, column 5: the text has no closing quote"},
		{`"a\x"`, `line 1, column 3: a backslash may stand before one of "\/bfnrtu only`},
		{`"\u12g4"`, `line 1, column 2: \u needs four hexadecimal digits`},
		{`"\u12"`, `line 1, column 2: \u needs four hexadecimal digits`},
		{`"\ud800"`, "line 1, column 2: half a surrogate pair is no character"},
		{`"\ud800\u0041"`, "line 1, column 2: half a surrogate pair is no character"},
		{`"\udc00\ud800"`, "line 1, column 2: half a surrogate pair is no character"},
		{"\"a\nb\"", `line 1, column 3: '\n' in a text has to be written with a backslash`},
		{"\"a\xff\"", "line 1, column 3: byte 0xff is not UTF-8"},
		{"\xff", `line 1, column 1: a value is needed, not "\xff"`},
		{"\ufeff{}", `line 1, column 1: a value is needed, not "\ufeff"`},
		{"[\x00]", `line 1, column 2: a value is needed, not "\x00"`},
	} {
		_, err := jsonview.DocumentFromJSON(anySchema(t), []byte(test.text))
		if !errors.Is(err, jsonview.ErrInput) || err.Error() != test.want {
			t.Errorf("%q:\ngot  %v\nwant %s", test.text, err, test.want)
		}
	}
	// The place is said once, whatever the value lies in.
	if _, err := fromJSON[frame](t, `{"Points": [{"X": 1}, {"X": -}]}`); err == nil || err.Error() != `line 1, column 30: a digit is needed, not "}"` {
		t.Error(err)
	}
	// What stands there is read before it is called a text or a number.
	if _, err := fromJSON[frame](t, `{"A": "5}`); err == nil || err.Error() != `line 1, column 7: the text has no closing quote` {
		t.Error(err)
	}
}

func anySchema(tb testing.TB) *document.Schema {
	tb.Helper()
	return documentSchema(tb, reflect.TypeFor[any]())
}

// checkAgainstJSON checks that encoding/json thinks the same of a text.
func checkAgainstJSON(t *testing.T, text []byte) {
	t.Helper()
	var want any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	refused := d.Decode(&want)
	if refused == nil && !json.Valid(text) {
		refused = errors.New("something follows")
	}
	b, err := jsonview.DocumentFromJSON(anySchema(t), text)
	if err != nil {
		// What encoding/json takes all the same, some of it by leaving things out.
		for _, why := range []string{"stands twice", "is not UTF-8", "surrogate", "out of range", "lie in each other"} {
			if strings.Contains(err.Error(), why) {
				return
			}
		}
		if refused == nil {
			t.Fatalf("%q: %v, but encoding/json reads it as %v", text, err, want)
		}
		return
	}
	if refused != nil {
		t.Fatalf("%q was read, but encoding/json says %v", text, refused)
	}
	var got any
	if err := document.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if want := plainNumbers(t, want); !reflect.DeepEqual(want, got) {
		t.Fatalf("%q was read as %#v, and by encoding/json as %#v", text, got, want)
	}
}

// plainNumbers returns v, which encoding/json has read, with its numbers as package
// document has them.
func plainNumbers(t *testing.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = plainNumbers(t, v[name])
		}
	case []any:
		for i := range v {
			v[i] = plainNumbers(t, v[i])
		}
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			f, err := v.Float64()
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if i, err := v.Int64(); err == nil {
			return i
		}
		var u uint64
		if err := json.Unmarshal([]byte(v), &u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	return v
}

func TestReaderAgainstJSON(t *testing.T) {
	for _, text := range []string{
		`null`, `true`, `[false, 1, -1, 0.5, 1E5, 1e-5, -0, -0.0, 18446744073709551615]`,
		`{"a": {"b": []}, "c": "\u00e9\ud83d\ude00\/\b\f"}`, " [ ]\r\n", `{"":""}`, `[1,]`, `[01]`, `["a" "b"]`, `{"a":1,"a":2}`,
		strings.Repeat(`[{"":`, 30) + "0" + strings.Repeat("}]", 30),
	} {
		checkAgainstJSON(t, []byte(text))
	}
}
