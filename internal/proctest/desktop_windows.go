package proctest

import "golang.org/x/sys/windows"

// The first process that asks Wine for the desktop starts the program that draws it, which
// inherits the process's handles: another's standard output would stay open until that
// program ends. So the tests' own process asks first.
func init() { windows.GetDesktopWindow() }
