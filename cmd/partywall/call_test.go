package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
)

// Files go where their names say, and leave the rest of the argument as it was typed.
func TestPut(t *testing.T) {
	for _, tt := range []struct{ text, path, want string }{
		{"", "a", `{"a":"x"}`},
		{" \n", "a.b.c", `{"a":{"b":{"c":"x"}}}`},
		{"{}", "a", `{"a":"x"}`},
		{`{"b": 1.50e1, "c":[ 1,2]}`, "a", `{"b":1.50e1,"c":[ 1,2],"a":"x"}`},
		{`{"a":{"b":12345678901234567890},"z":null}`, "a.c", `{"a":{"b":12345678901234567890,"c":"x"},"z":null}`},
		{`{"<\u00e9>":1,"<\u00e9>":2}`, "a", "{\"\\u003cé\\u003e\":1,\"\\u003cé\\u003e\":2,\"a\":\"x\"}"},
		{"", "", `"x"`},
		{"{}", "", "error: given already"},
		{`{"a":1}`, "a", "error: given already"},
		{`{"a":1}`, "a.b", "error: no object"},
		{`{"a":null}`, "a.b", "error: no object"},
		{`[]`, "a", "error: no object"},
		{`1`, "a", "error: no object"},
	} {
		var path []string
		if tt.path != "" {
			path = strings.Split(tt.path, ".")
		}
		got, err := put(json.RawMessage(tt.text), path, json.RawMessage(`"x"`))
		if want, fails := strings.CutPrefix(tt.want, "error: "); fails {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s at %s of %s: %s, %v, want %s", `"x"`, tt.path, tt.text, got, err, tt.want)
			}
		} else if err != nil || string(got) != tt.want {
			t.Errorf("%s at %s of %s: %s, %v, want %s", `"x"`, tt.path, tt.text, got, err, tt.want)
		}
	}
}

func TestFill(t *testing.T) {
	takes := call.TypeDescription{Signature: "{data []byte, hash [4]byte, name [8]uint8, text string, deep *{data []byte}, by map[string][]byte, n int64, ...}"}
	for _, tt := range []struct {
		field, data, want string
	}{
		{"data", "\xff\x00a", `{"data":"/wBh"}`},
		{"data", "", `{"data":""}`},
		{"hash", "\xff\x00a", `{"hash":[255,0,97]}`},
		{"hash", "", `{"hash":[]}`},
		{"hash", "12345", "error: the file has 5 bytes, the field has room for 4"},
		{"name", "12345678", `{"name":[49,50,51,52,53,54,55,56]}`},
		{"text", "\"größe\"\n", `{"text":"\"größe\"\n"}`},
		{"text", "\xff", "error: the field is a text, and the file is not UTF-8"},
		{"deep.data", "a", `{"deep":{"data":"YQ=="}}`},
		{"by.key", "a", `{"by":{"key":"YQ=="}}`},
		{"n", "1", "error: the field is neither bytes nor a text"},
		{"deep", "1", "error: the field is neither bytes nor a text"},
		{"further", "a", `{"further":"YQ=="}`}, // the signature does not say
	} {
		c := caller{fields: []fileField{{path: strings.Split(tt.field, "."), file: "file", data: []byte(tt.data)}}}
		got, err := c.fill(&cobra.Command{Use: "test"}, takes, nil)
		if want, fails := strings.CutPrefix(tt.want, "error: "); fails {
			if err == nil || !strings.Contains(err.Error(), "--file "+tt.field+"=file: "+want) {
				t.Errorf("%q in %s: %s, %v, want %s", tt.data, tt.field, got, err, tt.want)
			}
		} else if err != nil || string(got) != tt.want {
			t.Errorf("%q in %s: %s, %v, want %s", tt.data, tt.field, got, err, tt.want)
		}
	}
}

// slow is Levenshtein's distance by its definition.
func slow(a, b string) int {
	switch {
	case a == "" || b == "":
		return len(a) + len(b)
	case a[0] == b[0]:
		return slow(a[1:], b[1:])
	}
	return 1 + min(slow(a[1:], b), slow(a, b[1:]), slow(a[1:], b[1:]))
}

func TestDistance(t *testing.T) {
	words := []string{""}
	for i := 0; len(words[i]) < 4; i++ {
		words = append(words, words[i]+"a", words[i]+"b", words[i]+"c")
	}
	for _, a := range words {
		for _, b := range words {
			if got, want := distance(a, b), slow(a, b); got != want {
				t.Fatalf("from %q to %q it is %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"echo", "compare", "a/compare", "sum", "partywall/child"}
	for typed, want := range map[string]string{
		"ech": "echo", "ecco": "echo", "echoo": "echo", "comp": "compare", "compaer": "compare", "sun": "sum", "party": "partywall/child",
		"x": "", "imaging": "", "ooo": "",
	} {
		if got := nearest(typed, names); got != want {
			t.Errorf("%q was meant for %q, want %q", typed, got, want)
		}
	}
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("m%02d", i))
	}
	if got := suggestion("zz", "methods", many); !strings.HasPrefix(got, "the methods are m00, m01,") || !strings.HasSuffix(got, ", m19 and 5 more") {
		t.Error(got)
	}
}

// A shell takes the quotes off again.
func TestQuoteShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, text := range []string{"", "plain", "left=FILE", `{"it's": "$HOME \n"}`, "a b", "*", "'", "größe", "~"} {
		out, err := exec.Command(sh, "-c", "printf %s "+quoteShell(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q is quoted as %s, and becomes %q, %v", text, quoteShell(text), out, err)
		}
	}
}

func TestPrintResult(t *testing.T) {
	const big = `{"n":12345678901234567890,"f":1e-7,"t":"<&>"}`
	for _, tt := range []struct {
		c    caller
		want string
	}{
		{caller{}, big + "\n"},
		{caller{indent: true}, "{\n  \"n\": 12345678901234567890,\n  \"f\": 1e-7,\n  \"t\": \"<&>\"\n}\n"},
	} {
		var out bytes.Buffer
		if err := tt.c.printResult(&out, &resultReport{Result: json.RawMessage(big)}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Error(diff)
		}
	}
}
