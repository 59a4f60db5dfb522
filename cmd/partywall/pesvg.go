package main

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/partywall/partywall/pe"
)

// The drawing's measures, in its own pixels.
const (
	svgWidth  = 960
	svgTop    = 104 // where the columns begin
	svgHeight = 560 // of the longer column, if everything is to scale
	svgLeast  = 26  // of a block
	svgBlocks = 100 // of a column

	fileLeft, memoryLeft, blockWidth = 110, 560, 290
)

// A blockKind is what a block of the drawing is, with its colours. They are read on the
// drawing's own card, so that it does not matter whether the page is light or dark.
type blockKind struct {
	id, fill, stroke, legend string
}

var (
	blockHeaders  = &blockKind{"headers", "#d3d7de", "#6b7280", "headers"}
	blockCode     = &blockKind{"code", "#bcd6f2", "#3c6e9f", "code"}
	blockReadOnly = &blockKind{"read-only", "#cfe6cd", "#4f8a4b", "read only"}
	blockPrivate  = &blockKind{"copy-on-write", "#f5e3a1", "#a07d12", "copy-on-write: who writes gets a page of its own"}
	blockShared   = &blockKind{"shared", "#f3a6a0", "#b3261e", "shared: one copy for all processes"}
	blockUnmapped = &blockKind{"unmapped", "#e6dcf0", "#7a5c99", "in the file only"}
	blockGap      = &blockKind{"gap", "#ffffff", "#b6bcc6", "nothing"}

	blockKinds = []*blockKind{blockShared, blockPrivate, blockReadOnly, blockCode, blockHeaders, blockUnmapped, blockGap}
)

// A block is a part of the file or of the image.
type block struct {
	kind        *blockKind
	name, flags string
	section     int // index, or -1
	start, size uint64
	room        uint64 // what it takes: in memory whole pages

	y, height float64
}

// drawPE draws a file and its image in memory, side by side, as SVG.
func drawPE(r *peReport) string {
	file, memory := r.fileBlocks(), r.memoryBlocks()
	perPixel := max(float64(total(file)), float64(total(memory)), 1) / svgHeight
	bottom := max(place(file, perPixel), place(memory, perPixel))

	used := map[*blockKind]bool{}
	for _, b := range slices.Concat(file, memory) {
		used[b.kind] = true
	}
	var legend []*blockKind
	for _, k := range blockKinds {
		if used[k] {
			legend = append(legend, k)
		}
	}
	const line = 22
	legendTop := bottom + 44
	height := legendTop + line*float64((len(legend)+1)/2) + 40

	var s svg
	s.open("svg", "xmlns", "http://www.w3.org/2000/svg", "width", svgWidth, "height", height, "viewBox", fmt.Sprintf("0 0 %d %s", svgWidth, pixels(height)),
		"role", "img", "font-family", "Helvetica, Arial, sans-serif", "font-size", 13, "fill", "#1c2128", "data-bytes-per-pixel", strconv.FormatFloat(perPixel, 'g', -1, 64))
	title := fmt.Sprintf("%s: %s for %s", short(filepath.Base(r.File), 60), r.Kind, r.Machine)
	s.element("title", title)
	s.empty("rect", "x", 0.5, "y", 0.5, "width", svgWidth-1, "height", height-1, "rx", 8, "fill", "#f8f9fb", "stroke", "#b6bcc6")
	s.text(title, 24, 36, "font-size", 17, "font-weight", "bold")
	s.text("in the file", fileLeft, svgTop-30, "font-weight", "bold")
	s.text(fmt.Sprintf("%s bytes, offsets", grouped(uint64(r.Size))), fileLeft, svgTop-12)
	s.text("in memory", memoryLeft, svgTop-30, "font-weight", "bold")
	s.text(fmt.Sprintf("%s bytes, addresses from %#x on", grouped(uint64(r.ImageSize)), r.ImageBase), memoryLeft, svgTop-12)
	s.bands(file, memory)
	s.column(file, "file", fileLeft)
	s.column(memory, "memory", memoryLeft)

	for i, k := range legend {
		x, y := fileLeft+float64(i%2)*(memoryLeft-fileLeft), legendTop+line*float64(i/2)
		s.empty("rect", "x", x, "y", y-12, "width", 22, "height", 14, "fill", k.fill, "stroke", k.stroke, "stroke-width", k.width())
		s.text(k.legend, x+32, y)
	}
	s.text(fmt.Sprintf("To scale: 100 pixels are %s bytes. What would be less than %d pixels high is drawn as high as that.", grouped(uint64(perPixel*100+0.5)), svgLeast),
		fileLeft, height-18, "font-size", 11, "fill", "#57606a")
	s.close("svg")
	return s.b.String()
}

// fileBlocks are the parts of the file.
func (r *peReport) fileBlocks() []block {
	all := []block{{kind: blockHeaders, name: "headers", section: -1, size: min(uint64(r.HeadersSize), uint64(r.Size))}}
	for i := range r.Sections {
		s := &r.Sections[i]
		if s.RawOffset != 0 && s.RawSize != 0 {
			all = append(all, block{kind: s.kind(), name: s.Name, flags: s.Flags, section: i, start: uint64(s.RawOffset), size: uint64(s.RawSize)})
		}
	}
	if o := r.Overlay; o != nil {
		start, end := uint64(o.Offset), uint64(o.Offset+o.Size)
		if g := r.Signature; g != nil && g.Offset >= o.Offset {
			if g.Offset > o.Offset {
				all = append(all, block{kind: blockUnmapped, name: "overlay", section: -1, start: start, size: uint64(g.Offset) - start})
			}
			all = append(all, block{kind: blockUnmapped, name: "signature", section: -1, start: uint64(g.Offset), size: uint64(g.Size)})
			start = uint64(g.Offset + g.Size)
		}
		if start < end {
			all = append(all, block{kind: blockUnmapped, name: "overlay", section: -1, start: start, size: end - start})
		}
	}
	for i := range all {
		all[i].room = all[i].size
	}
	return withGaps(all)
}

// memoryBlocks are the parts of the image, which have whole pages.
func (r *peReport) memoryBlocks() []block {
	all := []block{{kind: blockHeaders, name: "headers", section: -1, size: uint64(r.HeadersSize)}}
	for i := range r.Sections {
		s := &r.Sections[i]
		all = append(all, block{kind: s.kind(), name: s.Name, flags: s.Flags, section: i, start: uint64(s.VirtualAddress), size: uint64(s.memory())})
	}
	page := max(uint64(r.SectionAlignment), 1)
	for i := range all {
		all[i].room = (all[i].size + page - 1) / page * page
	}
	return withGaps(all)
}

func (s *peSection) kind() *blockKind {
	switch f := s.flags; {
	case f.Has(pe.Shared | pe.Write):
		return blockShared
	case f.Has(pe.Write):
		return blockPrivate
	case f&(pe.Execute|pe.Code) != 0:
		return blockCode
	}
	return blockReadOnly
}

// withGaps sorts blocks and puts others where there is nothing, and in the place of all
// those that are too many.
func withGaps(blocks []block) []block {
	slices.SortStableFunc(blocks, func(a, b block) int { return cmp.Compare(a.start, b.start) })
	var all []block
	var end uint64
	for i, b := range blocks {
		if b.start > end && i > 0 {
			all = append(all, block{kind: blockGap, section: -1, start: end, size: b.start - end, room: b.start - end})
		}
		all = append(all, b)
		end = max(end, b.start+b.room)
	}
	if len(all) > svgBlocks {
		rest := all[svgBlocks-1:]
		first := rest[0].start
		all = append(all[:svgBlocks-1:svgBlocks-1], block{
			kind: blockGap, name: fmt.Sprintf("%d more", len(rest)), section: -1, start: first, size: end - first, room: end - first,
		})
	}
	return all
}

func total(blocks []block) (n uint64) {
	for _, b := range blocks {
		n += b.room
	}
	return n
}

// place puts blocks below each other and returns where they end.
func place(blocks []block, perPixel float64) float64 {
	y := float64(svgTop)
	for i := range blocks {
		b := &blocks[i]
		b.y, b.height = y, max(svgLeast, float64(b.room)/perPixel)
		y += b.height
	}
	return y
}

// An svg is written element by element.
type svg struct {
	b strings.Builder
}

// column draws blocks.
func (s *svg) column(blocks []block, id string, left float64) {
	s.open("g", "id", id)
	edge, anchor := left-8, "end" // of the numbers beside it
	if id == "memory" {
		edge, anchor = left+blockWidth+8, "start"
	}
	edgeNumber := func(n uint64, y float64) {
		s.text(hexOf(n), edge, y, "text-anchor", anchor, "font-family", "monospace", "font-size", 12, "fill", "#57606a")
	}
	for i, b := range blocks {
		s.empty("rect", "x", left, "y", b.y, "width", blockWidth, "height", b.height, "fill", b.kind.fill, "stroke", b.kind.stroke, "stroke-width", b.kind.width(),
			"data-name", b.name, "data-kind", b.kind.id, "data-start", b.start, "data-size", b.size, "data-room", b.room)
		edgeNumber(b.start, b.y+12)
		middle := b.y + b.height/2 + 4.5
		label := short(b.name, 18)
		if b.flags != "" {
			label += "  " + b.flags
		}
		if b.kind == blockShared {
			label += "  (shared)"
		}
		if b.kind != blockGap || b.name != "" {
			s.text(label, left+10, middle, "font-weight", "bold")
		}
		s.text(grouped(b.size)+" bytes", left+blockWidth-10, middle, "text-anchor", "end")
		if i == len(blocks)-1 {
			edgeNumber(b.start+b.room, b.y+b.height+14)
		}
	}
	s.close("g")
}

// bands lead from a section in the file to where it is in memory.
func (s *svg) bands(file, memory []block) {
	at := map[int]*block{}
	for i := range memory {
		if b := &memory[i]; b.section >= 0 {
			at[b.section] = b
		}
	}
	const left, right = fileLeft + blockWidth, memoryLeft
	for _, b := range file {
		m := at[b.section]
		if b.kind == blockHeaders {
			m = &memory[slices.IndexFunc(memory, func(m block) bool { return m.kind == blockHeaders })]
		}
		if m == nil {
			continue
		}
		var points []string
		for _, p := range [][2]float64{{left, b.y}, {right, m.y}, {right, m.y + m.height}, {left, b.y + b.height}} {
			points = append(points, pixels(p[0])+","+pixels(p[1]))
		}
		s.empty("polygon", "points", strings.Join(points, " "), "fill", b.kind.fill, "fill-opacity", 0.45)
	}
}

// width is that of the line around.
func (k *blockKind) width() float64 {
	if k == blockShared {
		return 2
	}
	return 1
}

func (s *svg) tag(name string, attributes []any) {
	s.b.WriteString("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		s.b.WriteString(" " + attributes[i].(string) + `="`)
		switch v := attributes[i+1].(type) {
		case float64:
			s.b.WriteString(pixels(v))
		default:
			s.escape(fmt.Sprint(v))
		}
		s.b.WriteByte('"')
	}
}

func (s *svg) open(name string, attributes ...any) {
	s.tag(name, attributes)
	s.b.WriteString(">\n")
}

func (s *svg) close(name string) { s.b.WriteString("</" + name + ">\n") }

func (s *svg) empty(name string, attributes ...any) {
	s.tag(name, attributes)
	s.b.WriteString("/>\n")
}

func (s *svg) element(name, text string, attributes ...any) {
	s.tag(name, attributes)
	s.b.WriteByte('>')
	s.escape(text)
	s.close(name)
}

func (s *svg) text(text string, x, y float64, attributes ...any) {
	s.element("text", text, append([]any{"x", x, "y", y}, attributes...)...)
}

func (s *svg) escape(text string) {
	_ = xml.EscapeText(&s.b, []byte(text)) // a Builder does not fail
}

// pixels writes a number of pixels, to a hundredth if it is larger than one.
func pixels(n float64) string {
	if n < 1 {
		return strconv.FormatFloat(n, 'g', 6, 64)
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(n, 'f', 2, 64), "0"), ".")
}

// short cuts a text, and has nothing in it that is not printable.
func short(text string, n int) string {
	text = clean(text)
	if utf8.RuneCountInString(text) > n {
		text = string([]rune(text)[:n-1]) + "…"
	}
	return text
}
