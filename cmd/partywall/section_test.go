package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseChange(t *testing.T) {
	for _, c := range []struct {
		args  string
		typed bool
		want  string
	}{
		{"n=1 pos.x=a=b", false, "n=1|pos.x=a=b"},
		{"n:uint32=1 x:bool m=2", true, "n=1|m=2 with n:uint32,x:bool"},
		{"n:a=1", false, "n:a=1"},
		{`{"n":1}`, false, `{"n":1}`},
		{"5", false, "5"},
		{"true", true, "true"},
		{`{"n":`, false, `{"n":`},
		{"n=", false, "n="},
		{"", false, ""},
		{"n", false, "error: FIELD=VALUE is needed"},
		{"n", true, "error: FIELD:TYPE=VALUE, FIELD:TYPE"},
		{"=1", false, "error: no field before"},
		{"n=1 n=1", false, "error: a value for n already"},
		{"n:int8=1 n=1", true, "error: a value for n already"},
		{"[1] n=1", false, "error: a whole value"},
		{"n=1 5", false, "error: a whole value"},
	} {
		change, types, err := parseChange(strings.Fields(c.args), c.typed)
		var parts []string
		if change.whole != nil {
			parts = append(parts, string(change.whole))
		}
		for _, a := range change.fields {
			parts = append(parts, a.path+"="+a.value)
		}
		got := strings.Join(parts, "|")
		if types != nil {
			got += " with " + strings.Join(types, ",")
		}
		if want, ok := strings.CutPrefix(c.want, "error: "); ok {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", c.args, err)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s: %s, %v", c.args, got, err)
		}
	}
}

func TestJSONOf(t *testing.T) {
	for _, c := range []struct{ signature, value, want string }{
		{"uint32", "5", "5"},
		{"uint32", "", ""},
		{"float64", "NaN", `"NaN"`},
		{"float32", "Inf", `"+Inf"`},
		{"float32", "-Inf", `"-Inf"`},
		{"[8]uint8", "left", `"left"`},
		{"[8]uint8", `"left"`, `"left"`},
		{"[8]uint8", "[1,2]", "[1,2]"},
		{"[8]uint8", "[1,2", `"[1,2"`},
		{"[8]uint8", "5", `"5"`},
		{"[8]uint8", "", `""`},
		{"[8]int8", "[1]", "[1]"},
		{"string", "NaN", `"NaN"`},
		{"string", "[1]", `"[1]"`},
		{"string", `say "hi"`, `"say \"hi\""`},
		{"*string", "null", "null"},
		{"string", "null", `"null"`},
		{"time", "2026-01-02T03:04:05Z", `"2026-01-02T03:04:05Z"`},
		{"[]byte", "AAE=", `"AAE="`},
		{"any", "5", "5"},
		{"any", "text", `"text"`},
		{"{X int8}", `{"X":1}`, `{"X":1}`},
	} {
		if got, err := jsonOf(c.signature, c.value); err != nil || string(got) != c.want {
			t.Errorf("%s %s: %s, %v", c.signature, c.value, got, err)
		}
	}
	if _, err := jsonOf("string", "\xff"); err == nil {
		t.Error("what is not UTF-8 is a text")
	}
}

func TestSplitLine(t *testing.T) {
	for line, want := range map[string][]string{
		"":                        nil,
		"a=1":                     {"a=1"},
		"  a=1 \t b=2 ":           {"a=1", "b=2"},
		`a="x y" b=2`:             {`a="x y"`, "b=2"},
		`a="x \" y" b="\\" c`:     {`a="x \" y"`, `b="\\"`, "c"},
		`a={"k":"v w"} b=""`:      {`a={"k":"v w"}`, `b=""`},
		"name=grün größe=\"1 2\"": {"name=grün", `größe="1 2"`},
	} {
		got, err := splitLine(line)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", line, err, diff)
		}
	}
	if _, err := splitLine(`a="x`); err == nil {
		t.Error("a quotation mark need not be closed")
	}
}

// The view stays in its place, and marks what differs from the picture before.
func TestSectionView(t *testing.T) {
	var b bytes.Buffer
	v := newSectionView(&b, "demo/x")
	show := func(version, skipped uint64, value string) string {
		t.Helper()
		b.Reset()
		if err := v.show(context.Background(), &sectionChanged{Value: json.RawMessage(value), Version: version, Skipped: skipped}); err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer("\x1b[K", "", "\n\r", "\n", bold, "<", plain, ">").Replace(b.String())
	}
	first := show(7, 0, `{"n":1,"pos":{"x":0.5},"list":[{"a":1},{"a":2}],"name":"a"}`)
	want := otherScreen + "\x1b[Hdemo/x  version 7, 0 not shown\n\n  n          1\n  pos.x      0.5\n  list[0].a  1\n  list[1].a  2\n  name       \"a\"\n\nCtrl-C ends it\x1b[J"
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	second := show(10, 2, `{"n":1,"pos":{"x":0.5},"list":[{"a":1},{"a":3}],"name":"a","new":[1,2]}`)
	want = "\x1b[Hdemo/x  version 10, 2 not shown\n\n  n          1\n  pos.x      0.5\n  list[0].a  1\n* list[1].a  <3>\n  name       \"a\"\n* new        <[1,2]>\n\nCtrl-C ends it\x1b[J"
	if diff := cmp.Diff(want, second); diff != "" {
		t.Error(diff)
	}
	if third := show(11, 0, "5"); !strings.Contains(third, "\n*   <5>\n") {
		t.Errorf("%q", third)
	}
	b.Reset()
	v.end()
	if b.String() != firstScreen+"11  5\n" {
		t.Errorf("%q", b.String())
	}
	b.Reset()
	newSectionView(&b, "demo/x").end()
	if b.Len() > 0 {
		t.Errorf("a view that has shown nothing leaves %q", b.String())
	}
	if rows := flatten(json.RawMessage("{}")); len(rows) != 1 {
		t.Errorf("%v", rows)
	}
}
