package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/section"
)

// maxSectionInput bounds what is read for a value.
const maxSectionInput = 1 << 30

// maxSectionLine bounds a line of changes.
const maxSectionLine = 64 << 20

// whole reads a whole value. A read that a signal interrupts is left alone.
func (s *sectionSetter) whole(cmd *cobra.Command) (data []byte, err error) {
	if s.file != "-" {
		return readFile(s.file)
	}
	done := make(chan struct{})
	go func() {
		data, err = readAll(cmd.InOrStdin(), "standard input", maxSectionInput)
		close(done)
	}()
	select {
	case <-done:
		return data, err
	case <-cmd.Context().Done():
		return nil, cmd.Context().Err()
	}
}

// lines stores what the lines of standard input say, and returns the last version.
func (s *sectionSetter) lines(cmd *cobra.Command, d *section.Dynamic, version uint64) (uint64, error) {
	ctx := cmd.Context()
	type line struct {
		text string
		err  error
	}
	lines := make(chan line)
	go func() {
		defer close(lines)
		r := bufio.NewScanner(cmd.InOrStdin())
		r.Buffer(nil, maxSectionLine)
		for r.Scan() {
			select {
			case lines <- line{text: r.Text()}:
			case <-ctx.Done():
				return
			}
		}
		if err := r.Err(); err != nil {
			select {
			case lines <- line{err: err}:
			case <-ctx.Done():
			}
		}
	}()
	for n := 1; ; n++ {
		select {
		case l, more := <-lines:
			if !more {
				return version, nil
			}
			if l.err != nil {
				return version, l.err
			}
			if strings.TrimSpace(l.text) == "" {
				continue
			}
			var err error
			if version, err = storeLine(cmd, d, strings.TrimSpace(l.text)); err != nil {
				return version, fmt.Errorf("line %d: %w", n, err)
			}
		case <-ctx.Done():
			return version, ctx.Err()
		}
	}
}

func storeLine(cmd *cobra.Command, d *section.Dynamic, text string) (uint64, error) {
	args := []string{text}
	if !isJSON(text) {
		var err error
		if args, err = splitLine(text); err != nil {
			return 0, &inputError{err}
		}
	}
	c, _, err := parseChange(args, false)
	if err != nil {
		return 0, &inputError{err}
	}
	return c.store(cmd.Context(), d)
}
