// Taking part in a section, and loading its value.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "partywall.h"

#define NAME_LOCK ((off_t)1 << 40)
#define MARK(n) (NAME_LOCK + 1 + (off_t)(n))

void die(const char *format, ...)
{
	va_list args;
	fputs("partywall: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void *need(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

void nap(unsigned microseconds) { nanosleep(&(struct timespec){.tv_nsec = (long)microseconds * 1000}, NULL); }

// range_lock locks or unlocks bytes of H.section for the open file; it is 0 if another one has them.
static int range_lock(const struct section *s, short type, off_t at)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
	if (fcntl(s->fd, F_OFD_SETLK, &l) == 0)
		return 1;
	if (errno != EAGAIN && errno != EACCES)
		die("F_OFD_SETLK: %s", strerror(errno));
	return 0;
}

static int others_have(const struct section *s, off_t at, off_t len)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = len};
	if (fcntl(s->fd, F_OFD_GETLK, &l) != 0)
		die("F_OFD_GETLK: %s", strerror(errno));
	return l.l_type != F_UNLCK;
}

// alive tells whether a participant has its mark.
int alive(const struct section *s, unsigned number) { return number == s->me || others_have(s, MARK(number), 1); }

void lock_name(struct section *s)
{
	for (unsigned i = 0; !range_lock(s, F_WRLCK, NAME_LOCK); i++) {
		if (i > 10000)
			die("process %" PRIu32 " has the name lock, and does not go on", s->anchor ? *half(s->anchor, 144) : 0);
		nap(1000);
	}
}

void unlock_name(struct section *s) { range_lock(s, F_UNLCK, NAME_LOCK); }

static void open_dir(struct section *s)
{
	const char *dir = getenv("PARTYWALL_DIR"), *xdg = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
	struct stat st;

	if (dir && *dir)
		snprintf(s->dir, sizeof s->dir, "%s", dir);
	else if (xdg && *xdg)
		snprintf(s->dir, sizeof s->dir, "%s/partywall", xdg);
	else
		snprintf(s->dir, sizeof s->dir, "%s/partywall-%u", tmp && *tmp ? tmp : "/tmp", (unsigned)getuid());
	s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dirfd < 0 || fstat(s->dirfd, &st) != 0)
		die("%s: %s", s->dir, strerror(errno));
	if (st.st_uid != geteuid() || (st.st_mode & 0777) != 0700)
		die("%s is another user's, or others may write it", s->dir);
}

// open_anchor opens H.section and locks the name; the file is then the one that the path leads to.
static void open_anchor(struct section *s)
{
	char name[64];
	struct stat a, b;

	snprintf(name, sizeof name, "%s.section", s->hash);
	for (;;) {
		s->fd = openat(s->dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (s->fd < 0 && errno == ENOENT)
			die("there is no section %s", s->name);
		if (s->fd < 0 || fstat(s->fd, &a) != 0)
			die("%s/%s: %s", s->dir, name, strerror(errno));
		if (!S_ISREG(a.st_mode) || a.st_uid != geteuid() || (a.st_mode & 0777) != 0600)
			die("%s/%s is no file of this user, or others may write it", s->dir, name);
		lock_name(s);
		if (fstatat(s->dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev)
			break;
		close(s->fd);
	}
	if (fstat(s->fd, &a) != 0 || a.st_size < 384)
		die("there is no section %s: its creation was not finished", s->name);
	s->anchor_size = (size_t)a.st_size;
	s->anchor = mmap(NULL, s->anchor_size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (s->anchor == MAP_FAILED)
		die("mmap %s: %s", name, strerror(errno));
}

static void check_anchor(struct section *s)
{
	uint32_t len = *half(s->anchor, 20);

	s->entries = *half(s->anchor, 12);
	if (memcmp(s->anchor, "PWALLSA1", 8) != 0)
		die("there is no section %s: its creation was not finished", s->name);
	if (*half(s->anchor, 8) != 1)
		die("section %s has version %" PRIu32 ", this program knows version 1", s->name, *half(s->anchor, 8));
	if (s->entries < 1 || s->entries > 1024 || 384 + (size_t)s->entries * 32 > s->anchor_size)
		die("an anchor of %" PRIu32 " entries in %zu bytes", s->entries, s->anchor_size);
	if (len != strlen(s->name) || memcmp(s->anchor + 24, s->name, len) != 0)
		die("the section of that file has another name");
}

// take_entry claims the first number that nobody has and that the lock word does not name.
static void take_entry(struct section *s)
{
	uint64_t lock = atomic_load(LOCK(&s->r));
	struct timespec now;
	uint32_t n;

	for (n = 0; n < s->entries; n++) {
		if ((lock & LK_HELD) && LK_HOLDER(lock) == n)
			continue;
		if (range_lock(s, F_WRLCK, MARK(n)))
			break;
	}
	if (n == s->entries)
		die("section %s has as many participants as it can", s->name);
	s->me = n;
	clock_gettime(CLOCK_REALTIME, &now);
	atomic_store(PINS(s, n), ((atomic_load(PINS(s, n)) >> 8) + 1) << 8);
	atomic_store(word(ENTRY(s, n), 16), (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	atomic_store(half(ENTRY(s, n), 24), 0);
	atomic_store(half(ENTRY(s, n), 28), s->writes ? 2 : 1);
	atomic_store(word(ENTRY(s, n), 0), (uint64_t)getpid() << 32);
}

void join(struct section *s, const char *name, int writes)
{
	memset(s, 0, sizeof *s);
	if (strlen(name) < 1 || strlen(name) > 100)
		die("a name has 1 to 100 bytes");
	strcpy(s->name, name);
	hash_name(name, s->hash);
	s->writes = writes;
	s->me = UINT32_MAX;
	open_dir(s);
	open_anchor(s);
	check_anchor(s);
	atomic_store(half(s->anchor, 144), (uint32_t)getpid());
	if (!others_have(s, MARK(0), s->entries) && !(atomic_load(half(s->anchor, 16)) & 1))
		die("there is no section %s: what is there was left by the dead", s->name);
	attach(s, &s->r, atomic_load(CURRENT(s)));
	if (!s->r.base)
		die("section %s has no region", s->name);
	take_entry(s);
	unlock_name(s);
}

// remove_files removes the regions, of all generations, and then the anchor.
static void remove_files(struct section *s)
{
	char prefix[64];
	struct dirent *e;
	int n = snprintf(prefix, sizeof prefix, "%s.section.", s->hash);
	DIR *d = fdopendir(dup(s->dirfd));

	if (!d)
		die("%s: %s", s->dir, strerror(errno));
	while ((e = readdir(d)))
		if (strncmp(e->d_name, prefix, (size_t)n) == 0)
			unlinkat(s->dirfd, e->d_name, 0);
	closedir(d);
	prefix[n - 1] = 0;
	unlinkat(s->dirfd, prefix, 0);
}

void leave(struct section *s)
{
	lock_name(s);
	atomic_store(half(s->anchor, 144), (uint32_t)getpid());
	atomic_store(word(ENTRY(s, s->me), 16), 0);
	atomic_store(word(ENTRY(s, s->me), 24), 0);
	atomic_store(word(ENTRY(s, s->me), 0), 0);
	range_lock(s, F_UNLCK, MARK(s->me));
	if (!others_have(s, MARK(0), s->entries) && !(atomic_load(half(s->anchor, 16)) & 1))
		remove_files(s);
	unlock_name(s);
	close(s->fd);
}

// follow goes on to the successor of a region that has been moved; it is 0 if there is none yet.
int follow(struct section *s)
{
	struct region next;
	for (;;) {
		uint64_t g = atomic_load(CURRENT(s));
		if (g == s->r.generation)
			return 0;
		if (g < s->r.generation)
			die("generation %" PRIu64 " after %" PRIu64, g, s->r.generation);
		attach(s, &next, g);
		if (next.base)
			break;
		if (atomic_load(CURRENT(s)) == g)
			die("region %" PRIu64 " is not there", g);
	}
	detach(&s->r);
	s->r = next;
	return 1;
}

// copy_cell copies what the cell holds; it is 0 if that is not a value.
static int copy_cell(const struct region *r, unsigned c, struct value *v)
{
	const uint8_t *p = cell(r, c);
	v->len = r->capacity;
	if (r->form != FIXED) {
		v->len = atomic_load(word(p, 0));
		if (v->len > r->capacity)
			return 0;
		p += 8;
	}
	memcpy(v->bytes, p, v->len);
	atomic_thread_fence(memory_order_seq_cst); // the copy comes before the next look at the switch word
	return 1;
}

// load copies the current value, from the newest region.
void load(struct section *s, struct value *v)
{
	for (unsigned tries = 0;; tries++) {
		uint64_t sw = atomic_load(SWITCH(&s->r)), then;
		unsigned c = (unsigned)(sw & SW_CELL);

		if ((sw & SW_MOVED) && follow(s))
			continue;
		if (c >= s->r.cells)
			die("cell %u of %" PRIu32, c, s->r.cells);
		v->bytes = need(realloc(v->bytes, s->r.capacity + 1));
		v->version = SW_VERSION(sw);
		int whole, valid;
		if (s->r.cells == 4) {
			valid = copy_cell(&s->r, c, v);
			then = atomic_load(SWITCH(&s->r));
			whole = SW_VERSION(then) - SW_VERSION(sw) <= s->r.cells - 2;
		} else {
			atomic_fetch_or(PINS(s, s->me), (uint64_t)1 << c);
			whole = atomic_load(SWITCH(&s->r)) == sw;
			valid = whole && copy_cell(&s->r, c, v);
			atomic_fetch_and(PINS(s, s->me), ~((uint64_t)1 << c));
		}
		if (whole && !valid)
			die("version %" PRIu64 " is longer than %" PRIu64 " bytes", v->version, s->r.capacity);
		if (whole)
			return;
		if (tries > 1000000)
			die("no whole value in a million tries");
	}
}

// wake wakes all who sleep on the bell.
void wake(struct section *s)
{
	if (atomic_load(SLEEPERS(s)) != 1)
		return;
	atomic_store(SLEEPERS(s), 0);
	atomic_fetch_add(BELL(s), 1);
	if (syscall(SYS_futex, BELL(s), FUTEX_WAKE, INT_MAX, NULL, NULL, 0) < 0)
		die("FUTEX_WAKE: %s", strerror(errno));
}
