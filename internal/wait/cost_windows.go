package wait

import (
	"time"

	"golang.org/x/sys/windows"
)

// wakeCost is about what it costs to wake a sleeping process. Under Wine each wake goes through another process,
// its server, which has to be woken itself: 150 to 200 µs.
var wakeCost = func() time.Duration {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		return 200 * time.Microsecond
	}
	return 50 * time.Microsecond
}()
