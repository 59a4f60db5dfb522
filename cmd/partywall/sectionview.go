package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// The sequences of a terminal that the view needs: ECMA-48, and xterm's private modes.
const (
	otherScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l" // another screen, no cursor, long lines are cut
	firstScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	restOfLine  = "\x1b[K"
	belowLine   = "\x1b[J"
	bold, plain = "\x1b[1m", "\x1b[0m"
)

// viewPause is between two pictures: a person sees no more.
const viewPause = 50 * time.Millisecond

// sectionView shows values on a terminal, each where the one before was, and marks what has changed.
type sectionView struct {
	w      io.Writer
	name   string
	before map[string]string // the rows of the value that is shown
	last   *sectionChanged
	shown  time.Time
	lost   uint64 // versions that were not shown
}

func newSectionView(w io.Writer, name string) *sectionView {
	return &sectionView{w: w, name: name}
}

// show shows a value; not before the one shown has been there for a moment.
func (v *sectionView) show(ctx context.Context, c *sectionChanged) error {
	if v.last != nil {
		pause := time.NewTimer(time.Until(v.shown.Add(viewPause)))
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
	v.lost += c.Skipped
	rows := flatten(c.Value)
	var b strings.Builder
	if v.last == nil {
		b.WriteString(otherScreen)
	}
	fmt.Fprintf(&b, "\x1b[H%s  version %s, %s not shown%s\n\r%s\n\r", v.name, grouped(c.Version), grouped(v.lost), restOfLine, restOfLine)
	v.draw(&b, rows)
	b.WriteString(restOfLine + "\n\rCtrl-C ends it" + restOfLine + belowLine)
	v.before = map[string]string{}
	for _, r := range rows {
		v.before[r.name] = r.value
	}
	v.last, v.shown = c, time.Now()
	_, err := io.WriteString(v.w, b.String())
	return err
}

// maxViewRows is how many fields the view has: those that no screen has room for would push the others
// away.
const maxViewRows = 40

func (v *sectionView) draw(b *strings.Builder, rows []row) {
	width := 0
	for _, r := range rows[:min(len(rows), maxViewRows)] {
		width = max(width, utf8.RuneCountInString(r.name))
	}
	for i, r := range rows {
		if i == maxViewRows {
			fmt.Fprintf(b, "  and %d more%s\n\r", len(rows)-i, restOfLine)
			return
		}
		before, known := v.before[r.name]
		if v.before == nil || known && before == r.value {
			fmt.Fprintf(b, "  %-*s  %s%s\n\r", width, r.name, r.value, restOfLine)
		} else {
			fmt.Fprintf(b, "* %-*s  %s%s%s%s\n\r", width, r.name, bold, r.value, plain, restOfLine)
		}
	}
}

// end leaves the last value on the terminal, as a line.
func (v *sectionView) end() {
	if v.last == nil {
		return
	}
	last := *v.last
	last.Skipped = 0
	fmt.Fprintf(v.w, "%s%s\n", firstScreen, changeLine(&last))
}

// flatten lists the fields of a JSON value that have a value of their own, with their paths.
func flatten(value json.RawMessage) (rows []row) {
	var list func(path string, value json.RawMessage)
	list = func(path string, value json.RawMessage) {
		if len(value) > 2 && value[0] == '{' {
			if all, err := members(value); err == nil {
				for _, m := range all {
					list(strings.TrimPrefix(path+"."+m.name, "."), m.value)
				}
				return
			}
		}
		if len(value) > 1 && value[0] == '[' && (value[1] == '{' || value[1] == '[') {
			var elements []json.RawMessage
			if json.Unmarshal(value, &elements) == nil {
				for i, e := range elements {
					list(fmt.Sprintf("%s[%d]", path, i), e)
				}
				return
			}
		}
		rows = append(rows, row{printable(path), string(value)}) // package jsonview has escaped the value
	}
	list("", value)
	return rows
}
