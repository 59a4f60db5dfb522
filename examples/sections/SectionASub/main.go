// SectionASub is the child A of the example: it answers SectionMain, which starts it.
//
// Usage: SectionASub
package main

import (
	"os"

	"github.com/partywall/partywall/examples/sections"
)

func main() { os.Exit(sections.Sub(sections.A, os.Args[1:], os.Stdout, os.Stderr)) }
