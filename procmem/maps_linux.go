package procmem

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

func (t *target) regions() ([]Region, error) {
	maps, err := os.ReadFile(t.proc("maps"))
	if err == nil && t.ended() {
		err = os.ErrNotExist
	}
	what := fmt.Sprintf("regions of process %d", t.pid)
	if err != nil {
		return nil, t.fail(err, what)
	}
	regions, err := parseMaps(string(maps))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return regions, nil
}

// parseMaps parses /proc/PID/maps, see proc_pid_maps(5).
func parseMaps(maps string) ([]Region, error) {
	regions := make([]Region, 0, strings.Count(maps, "\n"))
	for line := range strings.Lines(maps) {
		r, ok := parseMapsLine(strings.TrimSuffix(line, "\n"))
		if !ok {
			return nil, fmt.Errorf("this line of /proc/PID/maps is not understood: %q", line)
		}
		regions = append(regions, r)
	}
	return regions, nil
}

// parseMapsLine parses a line such as
//
//	7f1c2a400000-7f1c2a428000 r--p 00000000 fe:01 1583   /usr/lib/libc.so.6
//
// with one space between the first five fields. The path may be missing, and may have
// spaces.
func parseMapsLine(line string) (r Region, ok bool) {
	var field [5]string
	rest := line
	for i := range field {
		field[i], rest, _ = strings.Cut(rest, " ")
		if field[i] == "" {
			return Region{}, false
		}
	}
	low, high, _ := strings.Cut(field[0], "-")
	start, err := strconv.ParseUint(low, 16, 64)
	if err != nil {
		return Region{}, false
	}
	end, err := strconv.ParseUint(high, 16, 64)
	if err != nil || end < start {
		return Region{}, false
	}
	flags := field[1]
	if len(flags) != 4 {
		return Region{}, false
	}
	return Region{
		Address:   start,
		Size:      end - start,
		Read:      flags[0] == 'r',
		Write:     flags[1] == 'w',
		Execute:   flags[2] == 'x',
		Shared:    flags[3] == 's',
		Committed: true,
		Path:      strings.TrimLeft(rest, " "),
	}, true
}
