package doctor

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// A cgroup is where this process's control group for one controller is mounted.
type cgroup struct {
	dir string // the group's own
	top string // the highest group that can be seen: dir or above it
	v2  bool
}

// findCgroup finds the group for a controller ("cpu", "memory") below root, which
// is "/" except in tests: the group is in /proc/self/cgroup, and where its
// hierarchy is mounted in /proc/self/mountinfo (cgroups(7), proc(5)).
func findCgroup(root, controller string) (cgroup, bool) {
	groups, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return cgroup{}, false
	}
	mounts, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return cgroup{}, false
	}
	var one, two string // the group's path in version 1 and in version 2
	for line := range strings.Lines(string(groups)) {
		// 4:memory:/path, or 0::/path for version 2
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(fields) != 3:
		case fields[0] == "0" && fields[1] == "":
			two = fields[2]
		case has(fields[1], controller):
			one = fields[2]
		}
	}
	for line := range strings.Lines(string(mounts)) {
		// 36 35 98:0 /root /mount/point options optional - type source options
		before, after, _ := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(kind) < 3 {
			continue
		}
		var group string
		switch {
		case one != "" && kind[0] == "cgroup" && has(kind[2], controller):
			group = one
		case one == "" && two != "" && kind[0] == "cgroup2":
			group = two
		default:
			continue
		}
		top := filepath.Join(root, unescape(fields[4]))
		return cgroup{dir: filepath.Join(top, below(group, unescape(fields[3]))), top: top, v2: one == ""}, true
	}
	return cgroup{}, false
}

func has(list, item string) bool { return strings.Contains(","+list+",", ","+item+",") }

// below returns where group lies in a mount whose root is the group mounted. A group
// that is not in it, as a container can have it, is taken for the mount's root.
func below(group, mounted string) string {
	mounted = strings.TrimSuffix(mounted, "/")
	if rest, ok := strings.CutPrefix(group+"/", mounted+"/"); ok {
		return path.Clean("/" + rest)
	}
	return "/"
}

// unescape undoes what mountinfo does with blanks.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// each calls f with the group's directory and with those above it.
func (c cgroup) each(f func(dir string)) {
	for dir := c.dir; ; dir = filepath.Dir(dir) {
		f(dir)
		if len(dir) <= len(c.top) {
			return
		}
	}
}

// number reads a file of one number. A group without a limit has "max" or -1 there,
// which is an error too.
func number(file string) (uint64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// cpuQuota returns how many processors the group may use on average, if that is
// limited.
func (c cgroup) cpuQuota() (quota float64, limited bool) {
	c.each(func(dir string) {
		most, period, err := c.bandwidth(dir)
		if err != nil || period == 0 {
			return
		}
		if q := float64(most) / float64(period); !limited || q < quota {
			quota, limited = q, true
		}
	})
	return quota, limited
}

// bandwidth returns how many microseconds the group in dir may run in each
// period of so many.
func (c cgroup) bandwidth(dir string) (most, period uint64, err error) {
	if !c.v2 {
		if most, err = number(filepath.Join(dir, "cpu.cfs_quota_us")); err == nil {
			period, err = number(filepath.Join(dir, "cpu.cfs_period_us"))
		}
		return most, period, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "cpu.max"))
	if err == nil {
		_, err = fmt.Sscan(string(text), &most, &period) // the first is "max" without a limit
	}
	return most, period, err
}

// memory returns the limit that leaves the least, and what it leaves.
func (c cgroup) memory() (limit, left uint64, limited bool) {
	highest, current, cache := "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
	if c.v2 {
		highest, current, cache = "memory.max", "memory.current", "inactive_file"
	}
	const none = 1 << 60 // a number as large as that is how version 1 writes no limit
	c.each(func(dir string) {
		most, err := number(filepath.Join(dir, highest))
		if err != nil || most >= none {
			return
		}
		used, err := number(filepath.Join(dir, current))
		if err != nil {
			return
		}
		used -= min(used, field(filepath.Join(dir, "memory.stat"), cache)) // can be dropped at once
		if l := most - min(most, used); !limited || l < left {
			limit, left, limited = most, l, true
		}
	})
	return limit, left, limited
}

// field returns a line's number from a file of names and numbers.
func field(file, name string) uint64 {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if first, second, ok := strings.Cut(strings.TrimSpace(line), " "); ok && first == name {
			n, _ := strconv.ParseUint(second, 10, 64)
			return n
		}
	}
	return 0
}
