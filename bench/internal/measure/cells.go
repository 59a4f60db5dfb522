package measure

import (
	"slices"

	"github.com/partywall/partywall/bench/internal/report"
)

// smallest is the size, in bytes, of what is measured with many goroutines and at rates, unless that is chosen otherwise.
const smallest = 64

// maxTotal bounds the requests of all goroutines together, in bytes: each has three times that in memory, the server as
// much.
const maxTotal = 64 << 20

// Axes are what cells are made of.
type Axes struct {
	Sizes      []int
	Goroutines []int
	Rates      []float64
	Deadline   bool // also a cell whose calls have one
	Cross      bool // every size with every number of goroutines
}

// Cells returns every size with the first number of goroutines, the first size with every number of goroutines, and the
// first of both at every rate and with a deadline. With Cross it leaves out what would take more than 64 MiB of requests at
// once.
func (a Axes) Cells() (cells []report.Cell) {
	add := func(c report.Cell) {
		if c.Size <= maxTotal/c.Goroutines && !slices.Contains(cells, c) {
			cells = append(cells, c)
		}
	}
	size, goroutines := a.Sizes[0], a.Goroutines[0]
	for _, s := range a.Sizes {
		add(report.Cell{Size: s, Goroutines: goroutines})
	}
	for _, g := range a.Goroutines {
		for _, s := range a.Sizes {
			if s == size || a.Cross {
				add(report.Cell{Size: s, Goroutines: g})
			}
		}
	}
	for _, r := range a.Rates {
		add(report.Cell{Size: size, Goroutines: goroutines, Rate: r})
	}
	if a.Deadline {
		add(report.Cell{Size: size, Goroutines: goroutines, Deadline: true})
	}
	return cells
}
