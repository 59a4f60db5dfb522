package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size for people.
func Bytes(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// Duration is a time for people, in nanoseconds: three digits.
func Duration(ns float64) string {
	for _, u := range []struct {
		ns   float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= u.ns {
			return threeDigits(ns/u.ns) + " " + u.name
		}
	}
	return threeDigits(ns) + " ns"
}

func threeDigits(x float64) string {
	switch {
	case x >= 100 || x == 0:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// Grouped is a number with commas.
func Grouped(x float64) string {
	digits := strconv.FormatFloat(x, 'f', 0, 64)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// String is the cell for people.
func (c Cell) String() string {
	s := Bytes(c.Size)
	if c.Goroutines == 1 {
		s += ", 1 goroutine"
	} else {
		s += fmt.Sprintf(", %d goroutines", c.Goroutines)
	}
	if c.Rate > 0 {
		s += fmt.Sprintf(", %s calls/s asked for", Grouped(c.Rate))
	}
	if c.Deadline {
		s += ", with a deadline"
	}
	return s
}

func seconds(d time.Duration) string { return fmt.Sprintf("%g s", d.Seconds()) }
