package pe

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sarifSchema is that of OASIS, see the README beside it.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("testdata/sarif/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat() // URIs too
	if err := c.AddResource("sarif.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// allFindings are those of the files of TestAudit.
func allFindings(t *testing.T) []Report {
	reports := []Report{{File: "cut off/100%.dll", Machine: ARM64, Err: errors.New("pe: it is cut off")}}
	for _, a := range auditedFiles() {
		b := a.draw()
		f, err := New(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		findings, err := AuditOptions{Checksum: a.checksum}.Audit(f)
		reports = append(reports, Report{File: "files/" + a.name + ".dll", Machine: f.Machine, Findings: findings, Err: err})
	}
	return reports
}

// log is a SARIF log as any reader sees it.
type log = map[string]any

func writtenSARIF(t *testing.T, reports []Report) log {
	t.Helper()
	var out bytes.Buffer
	if err := WriteSARIF(&out, reports); err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifSchema(t).Validate(document); err != nil {
		t.Errorf("%#v", err)
	}
	return document.(log)
}

func TestSARIFIsValid(t *testing.T) {
	for _, reports := range [][]Report{nil, {{File: "clean.dll"}}, allFindings(t)} {
		document := writtenSARIF(t, reports)
		run := document["runs"].([]any)[0].(log)
		n := 0
		for _, r := range reports {
			n += len(r.Findings)
		}
		if got := len(run["results"].([]any)); got != n {
			t.Errorf("%d results of %d findings", got, n)
		}
		driver := run["tool"].(log)["driver"].(log)["rules"].([]any)
		for _, r := range run["results"].([]any) {
			r := r.(log)
			index, err := r["ruleIndex"].(interface{ Int64() (int64, error) }).Int64()
			if err != nil || driver[index].(log)["id"] != r["ruleId"] {
				t.Errorf("rule %v has index %v", r["ruleId"], r["ruleIndex"])
			}
		}
	}
}

// The schema is not so lax that anything passes.
func TestSARIFSchemaBites(t *testing.T) {
	schema := sarifSchema(t)
	for _, change := range []func(run, result log){
		func(_, r log) { r["level"] = "fatal" },
		func(_, r log) { delete(r, "message") },
		func(run, _ log) { delete(run, "tool") },
		func(_, r log) { r["file"] = "x" },
	} {
		document := writtenSARIF(t, allFindings(t))
		run := document["runs"].([]any)[0].(log)
		change(run, run["results"].([]any)[0].(log))
		if schema.Validate(document) == nil {
			t.Error("what is wrong is valid")
		}
	}
}

func TestSARIFResult(t *testing.T) {
	document := writtenSARIF(t, []Report{{
		File:     "out/Größe 1.dll",
		Findings: []Finding{{"PW1003", SeverityWarning, "own\xff", "It is so.", 0x200, 4}},
		Err:      errors.New("no more"),
	}})
	if document["version"] != "2.1.0" || !strings.Contains(document["$schema"].(string), "sarif-schema-2.1.0.json") {
		t.Errorf("version %v, schema %v", document["version"], document["$schema"])
	}
	run := document["runs"].([]any)[0].(log)
	result := run["results"].([]any)[0].(log)
	delete(result, "partialFingerprints")
	delete(result, "ruleIndex")
	location := result["locations"].([]any)[0].(log)["physicalLocation"].(log)
	artifact := log{"uri": "out/Gr%C3%B6%C3%9Fe%201.dll"}
	if diff := cmp.Diff(log{"artifactLocation": artifact, "region": location["region"]}, location); diff != "" {
		t.Error(diff)
	}
	region := location["region"].(log)
	if number(region["byteOffset"]) != "512" || number(region["byteLength"]) != "4" {
		t.Errorf("region %v", region)
	}
	if result["ruleId"] != "PW1003" || result["level"] != "warning" || result["message"].(log)["text"] != "It is so." {
		t.Errorf("result %v", result)
	}
	invocation := run["invocations"].([]any)[0].(log)
	if invocation["executionSuccessful"] != false || len(invocation["toolExecutionNotifications"].([]any)) != 1 {
		t.Errorf("invocation %v", invocation)
	}
}

func number(v any) string {
	if s, ok := v.(interface{ String() string }); ok { // json.Number
		return s.String()
	}
	return "no number"
}

func TestURI(t *testing.T) {
	paths := map[string]string{
		"a.dll":               "a.dll",
		"./a/../b.dll":        "b.dll",
		"../b.dll":            "../b.dll",
		"a b/100%#?.dll":      "a%20b/100%25%23%3F.dll",
		"c:d.dll":             "./c:d.dll",
		"/usr/lib/a b.dll":    "file:///usr/lib/a%20b.dll",
		"Größe\xff":           "Gr%C3%B6%C3%9Fe%FF",
		"//two/slashes/x.dll": "file:///two/slashes/x.dll",
	}
	if runtime.GOOS == "windows" {
		paths = map[string]string{
			`a\b c.dll`:            "a/b%20c.dll",
			`C:\Windows\x.dll`:     "file:///C:/Windows/x.dll",
			`\\host\share\a\b.dll`: "file://host/share/a/b.dll",
		}
	}
	for file, want := range paths {
		if got := uri(file); got != want {
			t.Errorf("%q: %s, want %s", file, got, want)
		}
	}
}
