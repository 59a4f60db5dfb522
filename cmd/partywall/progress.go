package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// progress says on a terminal what goes on, if it takes long.
type progress struct {
	w    io.Writer // nil: nobody watches
	tick time.Duration
}

// progressTick is when a line is shown first, and how often anew.
var progressTick = time.Second

// newProgress writes to standard error if that is a terminal.
func newProgress() progress {
	p := progress{tick: progressTick}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		p.w = os.Stderr
	}
	return p
}

// during shows a line, anew at each tick, until the returned function is called, which
// wipes it.
func (p progress) during(line func(since time.Duration) string) (end func()) {
	if p.w == nil {
		return func() {}
	}
	ended := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() {
		start, width := time.Now(), 0
		ticker := time.NewTicker(p.tick)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				text := line(time.Since(start))
				fmt.Fprintf(p.w, "\r%-*s", width, text)
				width = max(width, utf8.RuneCountInString(text))
			case <-ended:
				if width > 0 {
					fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", width))
				}
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(ended)
		shown.Wait()
	})
}
