//go:build !windows

package wait

import "time"

// wakeCost is about what it costs to wake a sleeping process: 40 to 70 µs on a virtual machine, 5 to 13 µs on
// bare metal.
const wakeCost = 50 * time.Microsecond
