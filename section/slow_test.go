package section_test

import "runtime"

// slow: processes take long to start here, so that tests start fewer. A build with the race detector is some
// ten times slower, and under Wine each process first loads half of Windows; neither shows more if there are more
// of them.
const slow = raceEnabled || runtime.GOOS == "windows"
