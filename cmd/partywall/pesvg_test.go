package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/pe"
)

// sectionDLL writes the DLL of two shared variables, or of so many of them, and returns its
// path.
func sectionDLL(t *testing.T, vars ...int) string {
	t.Helper()
	d := pe.DLL{Name: "SectionDLL.dll", Vars: []pe.Var{
		{Section: "SectionA", Name: "shareDataA", Type: pe.Int32, Getter: "getDataA", Setter: "setDataA"},
		{Section: "SectionB", Name: "shareDataB", Type: pe.Int32, Getter: "getDataB", Setter: "setDataB"},
	}}
	for _, n := range vars {
		d.Vars = d.Vars[:n]
	}
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), d.Name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func reportOf(t *testing.T, path string) *peReport {
	t.Helper()
	f, err := pe.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := newPEReport(t.Context(), path, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A drawn block, by the attributes of its rectangle.
type drawn struct {
	Name, Kind        string
	Start, Size, Room uint64
}

// parseSVG reads a drawing strictly, and returns the blocks of its columns and all of
// its texts.
func parseSVG(t *testing.T, text string) (columns map[string][]drawn, texts []string) {
	t.Helper()
	columns = map[string][]drawn{}
	d := xml.NewDecoder(strings.NewReader(text))
	var column string
	var perPixel, end float64
	for depth := 0; ; {
		token, err := d.Token()
		if err == io.EOF {
			if depth != 0 {
				t.Error("it ends in the middle")
			}
			return columns, texts
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		switch token := token.(type) {
		case xml.EndElement:
			depth--
		case xml.CharData:
			if s := strings.TrimSpace(string(token)); s != "" {
				texts = append(texts, s)
			}
		case xml.StartElement:
			depth++
			is := map[string]string{}
			for _, a := range token.Attr {
				is[a.Name.Local] = a.Value
			}
			real := func(name string) float64 {
				n, err := strconv.ParseFloat(is[name], 64)
				if err != nil {
					t.Errorf("%s of %s: %v", name, token.Name.Local, err)
				}
				return n
			}
			whole := func(name string) uint64 {
				n, err := strconv.ParseUint(is[name], 10, 64)
				if err != nil {
					t.Errorf("%s of %s: %v", name, token.Name.Local, err)
				}
				return n
			}
			switch _, isBlock := is["data-kind"]; {
			case token.Name.Local == "svg":
				perPixel = real("data-bytes-per-pixel")
			case token.Name.Local == "g":
				column, end = is["id"], svgTop
			case isBlock:
				b := drawn{is["data-name"], is["data-kind"], whole("data-start"), whole("data-size"), whole("data-room")}
				columns[column] = append(columns[column], b)
				want := max(svgLeast, float64(b.Room)/perPixel)
				if y, height := real("y"), real("height"); math.Abs(height-want) > 0.05 || math.Abs(y-end) > 0.05 {
					t.Errorf("%s %+v: %v to %v pixels, want %v to %v", column, b, y, y+height, end, end+want)
				}
				end = real("y") + real("height")
			}
		}
	}
}

// The numbers of the drawing are the file's.
func TestDrawPE(t *testing.T) {
	path := sectionDLL(t)
	got, texts := parseSVG(t, drawPE(reportOf(t, path)))
	f, err := pe.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kinds := map[string]string{".text": "code", "SectionA": "shared", "SectionB": "shared", ".edata": "read-only"}
	headers := uint64(f.Optional.SizeOfHeaders)
	want := map[string][]drawn{
		"file":   {{"headers", "headers", 0, headers, headers}},
		"memory": {{"headers", "headers", 0, headers, 0x1000}},
	}
	for _, s := range f.Sections {
		want["file"] = append(want["file"], drawn{s.Name, kinds[s.Name], uint64(s.RawOffset), uint64(s.RawSize), uint64(s.RawSize)})
		want["memory"] = append(want["memory"], drawn{s.Name, kinds[s.Name], uint64(s.VirtualAddress), uint64(s.VirtualSize), 0x1000})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	all := strings.Join(texts, "\n")
	for _, text := range []string{"SectionDLL.dll: DLL for amd64", "SectionA  rws  (shared)", "2,560 bytes, offsets", "0x2000", blockShared.legend} {
		if !strings.Contains(all, text) {
			t.Errorf("no text %q in\n%s", text, all)
		}
	}
	if strings.Contains(all, blockPrivate.legend) {
		t.Error("the legend has what is not drawn")
	}
}

// Whatever the file's names are, the drawing is XML, and no larger than somebody would look at.
func TestDrawStrangePE(t *testing.T) {
	r := reportOf(t, sectionDLL(t))
	r.File = "<&\"'>\x00\xff\n.dll"
	r.Sections[0].Name = `"><script>`
	r.Sections[1].Name = "\x01\xff\u202e"
	r.Overlay, r.Signature = &peBytes{2560, 100}, &peBytes{2600, 40}
	for i := range 300 {
		r.Sections = append(r.Sections, peSection{Name: fmt.Sprint(i), RawOffset: math.MaxUint32, RawSize: math.MaxUint32, VirtualAddress: uint32(i) << 24, VirtualSize: math.MaxUint32})
	}
	r.SectionAlignment = 0
	columns, texts := parseSVG(t, drawPE(r))
	if n := len(columns["memory"]); n != svgBlocks {
		t.Errorf("%d blocks", n)
	}
	if last := columns["memory"][svgBlocks-1].Name; last != "206 more" {
		t.Errorf("the last block is called %q", last)
	}
	for _, text := range texts {
		if strings.ContainsAny(text, "\x00\n\u202e") {
			t.Errorf("text %q", text)
		}
	}
	if diff := cmp.Diff([]drawn{
		{"overlay", "unmapped", 2560, 40, 40}, {"signature", "unmapped", 2600, 40, 40}, {"overlay", "unmapped", 2640, 20, 20},
	}, columns["file"][5:8]); diff != "" {
		t.Error(diff)
	}
}

// The drawing in the documentation is the program's.
func TestDrawingInDocs(t *testing.T) {
	r := reportOf(t, sectionDLL(t))
	want, err := os.ReadFile(filepath.Join("..", "..", "docs", "section-dll.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if got := drawPE(r); got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Error("docs/section-dll.svg is old: write it with 'partywall pe show SectionDLL.dll --svg docs/section-dll.svg'")
	}
}

// A strange file whose sections lie over each other is not read without end.
func TestEntropyHasABudget(t *testing.T) {
	data := bytes.Repeat([]byte{0, 1}, 1<<19)
	e := entropyReader{ctx: t.Context(), left: 1<<20 + 5, known: map[peBytes]float64{}}
	section := func(n int64) *io.SectionReader { return io.NewSectionReader(bytes.NewReader(data), 0, n) }
	for range 3 { // the same again costs nothing
		bits, err := e.of(section(1<<20), 7)
		if err != nil || bits == nil || *bits != 1 {
			t.Fatal(bits, err)
		}
	}
	if bits, err := e.of(section(6), 8); bits != nil || err != nil {
		t.Error(bits, err)
	}
	e.left = 1 << 20
	if _, err := e.of(io.NewSectionReader(bytes.NewReader(data[:100]), 0, 200), 9); !errors.Is(err, errInPieces) {
		t.Error(err)
	}
	for text, want := range map[string]float64{"aaaa": 0, "abcd": 2, "aabb": 1} {
		bits, err := e.of(io.NewSectionReader(strings.NewReader(text), 0, 4), int64(text[3]))
		if err != nil || bits == nil || *bits != want {
			t.Errorf("%s: %v %v", text, bits, err)
		}
	}
}

// The strange files that package pe is tested with are shown and drawn, or are an error.
func TestShowStrange(t *testing.T) {
	seeds, err := filepath.Glob(filepath.Join("..", "..", "pe", "testdata", "fuzz", "FuzzOpen", "*"))
	if err != nil || len(seeds) == 0 {
		t.Fatal(seeds, err)
	}
	shown := 0
	for _, seed := range seeds {
		t.Run(filepath.Base(seed), func(t *testing.T) {
			text, err := os.ReadFile(seed)
			if err != nil {
				t.Fatal(err)
			}
			_, quoted, _ := strings.Cut(string(text), "[]byte(")
			quoted, err = strconv.QuotedPrefix(quoted)
			if err != nil {
				t.Fatal(err)
			}
			data, err := strconv.Unquote(quoted)
			if err != nil {
				t.Fatal(err)
			}
			f, err := pe.New(strings.NewReader(data), int64(len(data)))
			if err != nil {
				return
			}
			r, err := newPEReport(t.Context(), "strange.dll", f)
			if err != nil {
				t.Fatal(err)
			}
			parseSVG(t, drawPE(r))
			var out bytes.Buffer
			if err := errors.Join(r.print(&out), printJSON(io.Discard, r)); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsFunc(out.String(), func(c rune) bool { return c != '\n' && !strconv.IsPrint(c) }) {
				t.Errorf("it has control characters: %q", out.String())
			}
			shown++
		})
	}
	if shown == 0 {
		t.Error("none was shown")
	}
}
