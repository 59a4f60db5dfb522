package doctor

import (
	"os"
	"path/filepath"
	"testing"
)

// A tree of files stands for the system's: what /proc/self says, and a hierarchy.
func TestCgroups(t *testing.T) {
	const (
		v2   = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
		v1   = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		root = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	)
	for _, test := range []struct {
		what   string
		group  string
		mounts string
		files  map[string]string
		quota  float64 // 0: none
		limit  uint64  // 0: none
		left   uint64
	}{
		{what: "version 2, no limit", group: "0::/a\n", mounts: root + v2, files: map[string]string{
			"sys/fs/cgroup/a/cpu.max": "max 100000\n", "sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/memory.current": "5\n"}},
		{what: "version 2, its own limits", group: "0::/a/b\n", mounts: root + v2, files: map[string]string{
			"sys/fs/cgroup/a/b/cpu.max": "150000 100000\n", "sys/fs/cgroup/a/b/memory.max": "1000\n", "sys/fs/cgroup/a/b/memory.current": "700\n",
			"sys/fs/cgroup/a/b/memory.stat": "anon 400\ninactive_file 200\n", "sys/fs/cgroup/a/cpu.max": "400000 100000\n",
			"sys/fs/cgroup/a/memory.max": "3000\n", "sys/fs/cgroup/a/memory.current": "800\n"}, quota: 1.5, limit: 1000, left: 500},
		{what: "version 2, the parent's are narrower", group: "0::/a/b\n", mounts: v2, files: map[string]string{
			"sys/fs/cgroup/a/cpu.max": "50000 100000\n", "sys/fs/cgroup/a/memory.max": "1000\n", "sys/fs/cgroup/a/memory.current": "900\n",
			"sys/fs/cgroup/a/b/cpu.max": "150000 100000\n", "sys/fs/cgroup/a/b/memory.max": "800\n", "sys/fs/cgroup/a/b/memory.current": "300\n"},
			quota: 0.5, limit: 1000, left: 100},
		{what: "version 2, more is used than may be", group: "0::/\n", mounts: v2, files: map[string]string{
			"sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "1100\n"}, limit: 1000, left: 0},
		{what: "version 2, in a container with a namespace", group: "0::/\n", mounts: "31 23 0:28 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
			files: map[string]string{"sys/fs/cgroup/cpu.max": "200000 100000\n"}, quota: 2},
		{what: "version 1", group: "4:memory:/m\n3:cpuacct,cpu:/c\n0::/u\n", mounts: root + v1 + v2, files: map[string]string{
			"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us": "25000\n", "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/m/memory.limit_in_bytes": "4096\n", "sys/fs/cgroup/memory/m/memory.usage_in_bytes": "1000\n",
			"sys/fs/cgroup/memory/m/memory.stat": "inactive_file 1\ntotal_inactive_file 500\n"}, quota: 0.25, limit: 4096, left: 3596},
		{what: "version 1, no limit", group: "4:memory:/m\n3:cpu:/c\n", mounts: v1, files: map[string]string{
			"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/m/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/m/memory.usage_in_bytes": "1000\n"}},
		{what: "version 1, in a container without a namespace", group: "4:memory:/docker/0123\n3:cpu:/docker/0123\n",
			mounts: "35 31 0:32 /docker/0123 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", files: map[string]string{
				"sys/fs/cgroup/memory/memory.limit_in_bytes": "4096\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "96\n"}, limit: 4096, left: 4000},
		{what: "another group is mounted", group: "0::/docker/0123\n", mounts: "31 23 0:28 /docker/01 /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
			files: map[string]string{"sys/fs/cgroup/cpu.max": "100000 100000\n", "sys/fs/cgroup/23/cpu.max": "1 100000\n"}, quota: 1},
		{what: "a blank in the mount's path", group: "0::/a\n", mounts: `31 23 0:28 / /sys/c\040g rw - cgroup2 cgroup2 rw` + "\n",
			files: map[string]string{"sys/c g/a/cpu.max": "300000 100000\n"}, quota: 3},
		{what: "nonsense", group: "nonsense\n0::\n::\n", mounts: "nonsense\n - \n1 2 3 4 5 - cgroup2\n" + v2, files: map[string]string{
			"sys/fs/cgroup/cpu.max": "nonsense\n", "sys/fs/cgroup/memory.max": "1000\n"}},
		{what: "no period", group: "0::/\n", mounts: v2, files: map[string]string{"sys/fs/cgroup/cpu.max": "5 0\n"}},
		{what: "nothing is mounted", group: "0::/\n", mounts: root},
	} {
		t.Run(test.what, func(t *testing.T) {
			top := t.TempDir()
			write := func(path, text string) {
				path = filepath.Join(top, path)
				must(t, os.MkdirAll(filepath.Dir(path), 0o700))
				must(t, os.WriteFile(path, []byte(text), 0o600))
			}
			write("proc/self/cgroup", test.group)
			write("proc/self/mountinfo", test.mounts)
			for path, text := range test.files {
				write(path, text)
			}
			if c, ok := findCgroup(top, "cpu"); ok || test.quota != 0 {
				if quota, limited := c.cpuQuota(); quota != test.quota || limited != (test.quota != 0) {
					t.Errorf("quota %v, %v; want %v; %+v", quota, limited, test.quota, c)
				}
			}
			if c, ok := findCgroup(top, "memory"); ok || test.limit != 0 {
				limit, left, limited := c.memory()
				if limit != test.limit || left != test.left || limited != (test.limit != 0) {
					t.Errorf("limit %d, %d left, %v; want %d, %d; %+v", limit, left, limited, test.limit, test.left, c)
				}
			}
		})
	}
	if _, ok := findCgroup(t.TempDir(), "cpu"); ok {
		t.Error("a group is found where there is nothing")
	}
}
