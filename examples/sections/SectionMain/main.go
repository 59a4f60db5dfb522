// SectionMain is the example's main program: a window with a button, which asks two others for
// what they have put into shared memory.
//
// Usage: SectionMain [--auto] [--timeout DURATION]
package main

import (
	"os"

	"github.com/partywall/partywall/examples/sections"
)

func main() { os.Exit(sections.Main(os.Args[1:], os.Stdout, os.Stderr)) }
