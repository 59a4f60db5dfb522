//go:build !linux && !windows

package rendezvous

import "os"

// A Dir cannot be opened on this system.
type Dir struct{}

// OpenDir says that this system has none.
func OpenDir(string, bool) (*Dir, error) { return nil, unsupported() }

func lookupGroup(string) (int, error) { return 0, unsupported() }

func openGroup(string, string, bool) (*Dir, error) { return nil, unsupported() }

// Path is not reached.
func (*Dir) Path() string { return "" }

// Files is not reached.
func (*Dir) Files() ([]string, error) { return nil, unsupported() }

// Open is not reached.
func (*Dir) Open(string, int) (*os.File, error) { return nil, unsupported() }

// Same is not reached.
func (*Dir) Same(string, *os.File) bool { return false }

// Remove is not reached.
func (*Dir) Remove(string) error { return unsupported() }

// Close is not reached.
func (*Dir) Close() error { return nil }

// DirPath is not known on this system.
func DirPath() string { return "" }
