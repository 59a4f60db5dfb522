package winmsg

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

// classes are the window classes that this process has registered.
var classes struct {
	sync.Mutex
	names map[string]*uint16
}

func registerClass(name string) (*uint16, error) {
	classes.Lock()
	defer classes.Unlock()
	folded := strings.ToLower(name) // as Windows compares them
	if class := classes.names[folded]; class != nil {
		return class, nil
	}
	chars, err := windows.UTF16FromString(name)
	if err != nil {
		return nil, errors.New("a class's name cannot have a zero byte")
	}
	const most = 256 // with the zero at the end
	if len(chars) > most {
		return nil, fmt.Errorf("a class's name of %d characters; at most %d are possible", len(chars)-1, most-1)
	}
	class := &chars[0]
	cursor, err := winapi.LoadCursor(0, winapi.IDC_ARROW)
	if err != nil {
		return nil, fmt.Errorf("LoadCursor: %w", err)
	}
	if _, err := winapi.RegisterClassEx(wndClass(class, cursor, procedure())); err != nil {
		return nil, fmt.Errorf("RegisterClassEx %q: %w", name, err)
	}
	if classes.names == nil {
		classes.names = map[string]*uint16{}
	}
	classes.names[folded] = class
	return class, nil
}
