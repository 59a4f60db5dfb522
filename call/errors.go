package call

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A RemoteError is what a handler returned as its error, or that it panicked.
// The service lives on, and so does the conn.
type RemoteError struct {
	Service string
	Method  string
	Message string // at most as long as a slot has room, 448 bytes or more; cut at the end if longer
	Panic   bool   // the handler panicked, and Message is what with
}

// Error names the service, the method, and what its handler said.
func (e *RemoteError) Error() string {
	if e.Panic {
		return fmt.Sprintf("%s.%s panicked: %s", e.Service, e.Method, e.Message)
	}
	return fmt.Sprintf("%s.%s: %s", e.Service, e.Method, e.Message)
}

// cutText shortens text to at most n bytes without breaking a character.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	const dots = "..."
	cut := n - len(dots)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + dots
}

// cleanText makes a peer's text fit to be printed in one line of a terminal.
func cleanText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (0x80 <= r && r < 0xa0) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
