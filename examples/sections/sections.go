// Package sections is article B in three programs: SectionMain, SectionASub and SectionBSub,
// which have a DLL's shared sections in common and tell each other by window messages that
// something has changed there. They are Windows programs; elsewhere they say so.
//
// The article is danny's "Windows进程通信之PE文件共享节" (communication of Windows processes by shared
// sections of PE files, blog.csdn.net/danny_share, 2014). What it lays down is kept to the
// letter, so that any of the programs, and the DLL, can be another's:
//
//   - SectionDLL.dll has the sections SectionA and SectionB, with an int each that begins as 0,
//     and exports setDataA, getDataA, setDataB and getDataB. Here it is made by package pe, without a
//     compiler, by whichever program does not find it in its folder.
//   - SectionMain starts the two others and shows a window with a button, Test. Pressed,
//     it posts WM_USER+100 to the window SectionASub and WM_USER+101 to SectionBSub.
//   - SectionASub sets 10 through the DLL, SectionBSub 20, and each posts the message that it has
//     got to the window SectionMain.
//   - SectionMain gets the value through the DLL and shows "A response ,the data is :10". It prints the
//     line, too.
//
// All three lie in one folder:
//
//	go build -o DIR ./examples/sections/...
//	DIR\SectionMain.exe          # press Test
//	DIR\SectionMain.exe --auto   # presses it itself, and ends
//
// docs/WINDOWS.md says what is weak in this way. Package watched is the same scenario without
// those weaknesses, on any system.
package sections

import (
	"fmt"

	"github.com/partywall/partywall/pe"
	"github.com/partywall/partywall/winmsg"
)

// MainTitle is the title of SectionMain's window.
const MainTitle = "SectionMain"

// TestButton is the id of SectionMain's button: [winmsg.Command] with it presses the
// button.
const TestButton = 1000

// DLLName is the file with the shared sections.
const DLLName = "SectionDLL.dll"

// A Child is one of the programs that SectionMain asks.
type Child struct {
	Letter  string
	Title   string         // of its window; its program is called so, too
	Message winmsg.Message // asks it, and is its answer
	Value   int32          // what it sets

	Section        string // where its variable lies
	Getter, Setter string // exports of the DLL
}

// The children.
var (
	A = Child{
		Letter: "A", Title: "SectionASub", Message: winmsg.User + 100, Value: 10,
		Section: "SectionA", Getter: "getDataA", Setter: "setDataA",
	}
	B = Child{
		Letter: "B", Title: "SectionBSub", Message: winmsg.User + 101, Value: 20,
		Section: "SectionB", Getter: "getDataB", Setter: "setDataB",
	}
)

var children = []Child{A, B}

// response is what SectionMain shows of a value.
func (c *Child) response(value int32) string {
	return fmt.Sprintf("%s response ,the data is :%d", c.Letter, value)
}

// DLL is SectionDLL.dll for a machine.
func DLL(machine pe.Machine) *pe.DLL {
	d := &pe.DLL{Name: DLLName, Machine: machine}
	for _, c := range children {
		d.Vars = append(d.Vars, pe.Var{
			Section: c.Section, Name: "shareData" + c.Letter, Type: pe.Int32,
			Getter: c.Getter, Setter: c.Setter,
		})
	}
	return d
}
