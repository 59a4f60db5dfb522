// Package archtest holds the rules for the structure of this repository, as
// tests: who imports whom, where unsafe code and assembly may stand, what builds
// where, and how long a file may be. There is nothing here to import.
//
// The rules read the sources of every system and every build tag. The table of
// rooms is in rooms_test.go; that is where a new folder is entered. What the
// rules are for is in docs/ARCHITECTURE.md.
package archtest
