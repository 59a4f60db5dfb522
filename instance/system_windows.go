package instance

import "github.com/partywall/partywall/internal/winapi"

// passForeground lets the first instance put its window in front, as this process may if the user
// has just started it. If it may not, or has no window itself, the system refuses, and nothing is lost:
// the other one's button in the task bar flashes instead.
func passForeground(pid int) { _ = winapi.AllowSetForegroundWindow(uint32(pid)) }
