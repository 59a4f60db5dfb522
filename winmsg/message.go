package winmsg

import (
	"fmt"
	"strconv"
	"strings"
)

// A Message is a window message's number.
type Message uint32

// Messages whose meaning is fixed, and the first of each range that is not: from User
// on a message means what the window's class says, from App on what the program says.
const (
	Null     Message = 0x0000 // WM_NULL: does nothing
	CloseNow Message = 0x0010 // WM_CLOSE: asks a window to close
	Copy     Message = 0x004a // WM_COPYDATA: [Window.SendCopyData]
	Click    Message = 0x00f5 // BM_CLICK: presses the push button that it is sent to
	Command  Message = 0x0111 // WM_COMMAND: a menu's or a control's; [Button]
	User     Message = 0x0400 // WM_USER
	App      Message = 0x8000 // WM_APP

	firstRegistered Message = 0xc000 // to 0xffff: RegisterMessage
	lastMessage     Message = 0xffff
)

var messageNames = []struct {
	name string
	m    Message
}{
	{"WM_APP", App}, {"WM_USER", User}, {"WM_COMMAND", Command}, {"BM_CLICK", Click}, {"WM_COPYDATA", Copy}, {"WM_CLOSE", CloseNow}, {"WM_NULL", Null},
}

// String returns the message as ParseMessage reads it.
func (m Message) String() string {
	for _, known := range messageNames {
		switch {
		case m == known.m:
			return known.name
		case known.m >= User && m > known.m && m < firstRegistered:
			return fmt.Sprintf("%s+%d", known.name, m-known.m)
		}
	}
	return fmt.Sprintf("%#x", uint32(m))
}

// ParseMessage reads a message as people write it: a number in decimal or after 0x, one
// of WM_NULL, WM_CLOSE, WM_COPYDATA, BM_CLICK, WM_COMMAND, WM_USER and WM_APP, or such a
// name, a plus sign and a number.
func ParseMessage(text string) (Message, error) {
	name, plus, isSum := strings.Cut(strings.TrimSpace(text), "+")
	base, err := parseBase(strings.TrimSpace(name))
	if err != nil {
		return 0, fmt.Errorf("message %q: %w", text, err)
	}
	if isSum {
		n, err := strconv.ParseUint(strings.TrimSpace(plus), 0, 32)
		if err != nil {
			return 0, fmt.Errorf("message %q: %q is not a number", text, plus)
		}
		base += n
	}
	if base > uint64(lastMessage) {
		return 0, fmt.Errorf("message %q is %#x; messages end at %#x", text, base, uint32(lastMessage))
	}
	return Message(base), nil
}

func parseBase(name string) (uint64, error) {
	for _, known := range messageNames {
		if strings.EqualFold(name, known.name) {
			return uint64(known.m), nil
		}
	}
	n, err := strconv.ParseUint(name, 0, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number nor a message's name; WM_USER+100 and 0x464 are examples", name)
	}
	return n, nil
}
