// SectionBSub is the child B of the example: it answers SectionMain, which starts it.
//
// Usage: SectionBSub
package main

import (
	"os"

	"github.com/partywall/partywall/examples/sections"
)

func main() { os.Exit(sections.Sub(sections.B, os.Args[1:], os.Stdout, os.Stderr)) }
