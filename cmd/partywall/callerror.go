package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// explain adds to an error what its reader can do.
func (c *caller) explain(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("call %s.%s: no result within %v; --timeout sets how long to wait", c.service, c.method, c.timeout)
	case errors.Is(err, call.ErrJSON):
		return &inputError{fmt.Errorf("%w; --describe shows what it takes", err)}
	}
	return err
}

// hintPatience bounds the search for what was meant instead.
const hintPatience = 500 * time.Millisecond

// unknownService explains that there is no such service.
func (c *caller) unknownService(ctx context.Context, err error) error {
	if !errors.Is(err, partywall.ErrNotFound) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hintPatience)
	defer cancel()
	listings, listErr := call.List(ctx)
	if listErr != nil {
		return err
	}
	if len(listings) == 0 {
		return fmt.Errorf("%w; no service is alive: 'partywall serve echo' starts one", err)
	}
	var names []string
	for _, l := range listings {
		names = append(names, l.Service)
	}
	return fmt.Errorf("%w; %s", err, suggestion(c.service, "services", names))
}

// unknownMethod explains that the service has no such method.
func (c *caller) unknownMethod(ctx context.Context, conn *call.Conn, err error) error {
	if !errors.Is(err, partywall.ErrNotFound) {
		return err
	}
	d, describeErr := conn.Describe(ctx)
	if describeErr != nil {
		return err
	}
	if len(d.Methods) == 0 {
		return fmt.Errorf("%w; it has none", err)
	}
	var names []string
	for _, m := range d.Methods {
		names = append(names, m.Name)
	}
	return fmt.Errorf("%w; %s", err, suggestion(c.method, "methods", names))
}

// suggestion says what was meant, if that can be guessed, and what there is.
func suggestion(typed, what string, names []string) string {
	const most = 20
	text := fmt.Sprintf("the %s are %s", what, strings.Join(names[:min(len(names), most)], ", "))
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	if near := nearest(typed, names); near != "" {
		text = fmt.Sprintf("did you mean %s? %s", near, strings.ToUpper(text[:1])+text[1:])
	}
	return text
}

// nearest returns the name that a typing error is likely to have been meant for, or "".
func nearest(typed string, names []string) string {
	best, least := "", 1+max(1, len(typed)/3)
	for _, name := range names {
		d := distance(typed, name)
		if len(typed) > 1 && strings.HasPrefix(name, typed) {
			d = 1
		}
		if d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is how many bytes have to be inserted, deleted or replaced to make one text of
// the other: Levenshtein's distance, by the algorithm of Wagner and Fischer.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
