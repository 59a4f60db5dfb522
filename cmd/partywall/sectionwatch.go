package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/section"
)

// sectionWatcher is one run of section watch.
type sectionWatcher struct {
	place         sectionPlace
	name, field   string
	count         int
	timeout       time.Duration
	lines, asJSON bool
}

func newSectionWatch() *cobra.Command {
	var s sectionWatcher
	cmd := &cobra.Command{
		Use:   "watch NAME [FIELD]",
		Short: "Print each new value of a section, or of one of its fields",
		Long: `Print the current value of a section, if one was stored, and then each new one, until
Ctrl-C, SIGTERM or what --count and --timeout say. Each is a line with its version.
When values come faster than they can be printed, some are skipped, and the next line
says how many; the last one always comes. The section lives as long as it is watched.

On a terminal there is a view that stays in its place, and marks what has changed
since the version that it showed before; it shows up to twenty versions a second.
With --lines there are lines there too.

With --json, each line is an object: version, skipped and value. Bytes are base64.

The exit status is 0, also after a signal; it is 1 if --timeout ends it before
there were as many values as --count asks for.`,
		Example: `  partywall section watch demo/x
  partywall section watch demo/x n --lines
  partywall section watch demo/x --json | jq --unbuffered .value.n
  partywall section watch demo/x --count 1 --timeout 5s`,
		Args: sectionName("a section is needed, and one field is possible", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.name = args[0]
			if len(args) > 1 {
				s.field = args[1]
			}
			return s.place.explain(s.name, s.run(cmd))
		},
		ValidArgsFunction: completeSection(&s.place, offerFields),
	}
	f := cmd.Flags()
	f.IntVar(&s.count, "count", 0, "end after this `number` of values; 0: do not")
	f.DurationVar(&s.timeout, "timeout", 0, "end after this `time`; 0: do not")
	f.BoolVar(&s.lines, "lines", false, "print lines, on a terminal too")
	f.BoolVar(&s.asJSON, "json", false, "print one JSON object for each value, in one line")
	s.place.flags(cmd)
	return cmd
}

func (s *sectionWatcher) run(cmd *cobra.Command) error {
	if s.count < 0 || s.timeout < 0 {
		return usagef(cmd, "--count %d --timeout %v: 0 or more is possible", s.count, s.timeout)
	}
	d, err := section.OpenDynamic(s.name, s.place.options(section.ReadOnly())...)
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.Field(s.field); err != nil {
		return err
	}
	ctx := cmd.Context()
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.timeout, os.ErrDeadlineExceeded)
		defer cancel()
	}
	show, end := s.printer(cmd)
	seen, err := s.watch(ctx, d, show)
	end()
	switch {
	case ctx.Err() == nil || !errors.Is(err, context.Cause(ctx)):
		return err
	case cmd.Context().Err() != nil || s.count == 0:
		return nil
	}
	return fmt.Errorf("section %q: %d values within %v, and --count asks for %d", s.name, seen, s.timeout, s.count)
}

// sectionChanged is a value that is shown.
type sectionChanged = section.Change[json.RawMessage]

// watch shows values until there are enough, or something ends it.
func (s *sectionWatcher) watch(ctx context.Context, d *section.Dynamic, show func(context.Context, *sectionChanged) error) (seen int, err error) {
	for c, err := range d.WatchJSON(ctx, s.field) {
		if err == nil {
			seen++
			err = show(ctx, &c)
		}
		if err != nil {
			return seen, err
		}
		if seen == s.count {
			return seen, nil
		}
	}
	return seen, nil
}

// printer returns what shows a value, and what ends that.
func (s *sectionWatcher) printer(cmd *cobra.Command) (show func(context.Context, *sectionChanged) error, end func()) {
	w := cmd.OutOrStdout()
	switch {
	case s.asJSON:
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		show = func(_ context.Context, c *sectionChanged) error {
			return e.Encode(changeReport{c.Version, c.Skipped, c.Value})
		}
	case !s.lines && isTerminal(w) && os.Getenv("TERM") != "dumb":
		v := newSectionView(w, s.name)
		return v.show, v.end
	default:
		show = func(_ context.Context, c *sectionChanged) error {
			_, err := fmt.Fprintln(w, changeLine(c))
			return err
		}
	}
	return show, func() {}
}

// changeReport is a line of section watch with --json.
type changeReport struct {
	Version uint64          `json:"version"`
	Skipped uint64          `json:"skipped"`
	Value   json.RawMessage `json:"value"`
}

func changeLine(c *sectionChanged) string {
	if c.Skipped > 0 {
		return fmt.Sprintf("%d  %s  (%s skipped)", c.Version, c.Value, grouped(c.Skipped))
	}
	return fmt.Sprintf("%d  %s", c.Version, c.Value)
}
