// writer [--times N] [--stop STEP] NAME path=value...
//
// stores the value with those fields changed, as one version: path=value sets the field, path+=value adds to an
// integer, path[I] is an element of an array. --times does it so often. --stop raises SIGSTOP after a step of the first store:
// acquired, copied, committed, woken, switched; it then says the step on a line.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "partywall.h"

static const char *stop_at = "";

static void step(const char *name)
{
	if (strcmp(stop_at, name) != 0)
		return;
	stop_at = "";
	puts(name);
	fflush(stdout);
	raise(SIGSTOP);
}

// acquire takes the region's lock, also from a dead holder, and gives the lock word.
static uint64_t acquire(struct section *s)
{
	for (unsigned tries = 0;; tries++) {
		uint64_t old = atomic_load(LOCK(&s->r));
		if (!(old & LK_HELD) || !alive(s, LK_HOLDER(old))) {
			uint64_t mine = (LK_TICKET(old) + 1) << 16 | (uint64_t)s->me << 2 | LK_HELD;
			if (atomic_compare_exchange_strong(LOCK(&s->r), &old, mine))
				return mine;
			continue;
		}
		if (tries > 11000)
			die("process %" PRIu64 " holds the lock, and does not go on",
			    atomic_load(word(ENTRY(s, LK_HOLDER(old)), 0)) >> 32);
		if (tries > 1000)
			nap(1000);
	}
}

// spare is a cell that nobody can be reading, or -1.
static int spare(struct section *s, unsigned current)
{
	if (s->r.cells == 4)
		return (int)((current + 1) % 4);
	uint64_t taken = 1u << current;
	for (uint32_t n = 0; n < s->entries; n++) {
		uint64_t pins = atomic_load(PINS(s, n));
		if (!(pins & 0xff))
			continue;
		if (alive(s, n))
			taken |= pins & 0xff;
		else
			atomic_compare_exchange_strong(PINS(s, n), &pins, pins & ~(uint64_t)0xff);
	}
	for (unsigned c = 0; c < s->r.cells; c++)
		if (!(taken >> c & 1))
			return (int)c;
	return -1;
}

static void set_element(uint8_t *p, uint8_t kind, const char *text, int add)
{
	union { uint8_t b[16]; int64_t i; uint64_t u; float f; double d; } v = {{0}};
	size_t size = (size_t)elem_size(kind);
	char *end;

	errno = 0;
	if (kind == 1)
		v.u = strcmp(text, "true") == 0, end = (char *)text + (v.u || strcmp(text, "false") == 0 ? strlen(text) : 0);
	else if (kind <= 5)
		v.i = strtoll(text, &end, 0);
	else if (kind <= 9)
		v.u = strtoull(text, &end, 0);
	else if (kind == 10)
		v.f = strtof(text, &end);
	else if (kind == 11)
		v.d = strtod(text, &end);
	else
		die("complex numbers cannot be set");
	if (*end || end == text || errno)
		die("%s is no value of that field", text);
	if (kind >= 2 && kind <= 9 && add) {
		uint64_t old = 0;
		memcpy(&old, p, size); // the low bytes suffice: what overflows is cut off
		v.u += old;
	} else if (add) {
		die("only integers can be added to");
	} else if (kind >= 2 && kind <= 9 && size < 8) {
		int64_t high = v.i >> (8 * size - (kind <= 5));
		if (high != 0 && !(kind <= 5 && high == -1))
			die("%s does not fit into %zu bytes", text, size);
	}
	memcpy(p, v.b, size);
}

// assign merges one assignment into the cell.
static void assign(const struct region *r, uint8_t *p, const char *text)
{
	const char *eq = strchr(text, '=');
	if (!eq)
		die("%s is no assignment", text);
	int add = eq > text && eq[-1] == '+'; // the only field of a section may have an empty path
	size_t len = (size_t)(eq - text) - (size_t)add;
	for (uint32_t i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];
		size_t n = strlen(f->path);
		uint32_t at = 0;
		if (n > len || memcmp(f->path, text, n) != 0)
			continue;
		if (n < len) {
			char *end;
			if (text[n] != '[')
				continue;
			at = (uint32_t)strtoul(text + n + 1, &end, 10);
			if (*end != ']' || end + 1 != text + len)
				continue;
		}
		if (at >= f->count)
			die("%s has %" PRIu32 " elements", f->path, f->count);
		set_element(p + f->offset + (size_t)at * (size_t)elem_size(f->kind), f->kind, eq + 1, add);
		return;
	}
	die("the section has no field %.*s", (int)len, text);
}

// finish_growth makes the successor of a region whose mover has died, with the same schema: this program needs no other.
static void finish_growth(struct section *s)
{
	char name[64], old[64];
	uint64_t g = s->r.generation + 1, sw = atomic_load(SWITCH(&s->r)) & ~(uint64_t)SW_MOVED;

	lock_name(s);
	atomic_store(half(s->anchor, 144), (uint32_t)getpid());
	if (atomic_load(CURRENT(s)) == s->r.generation) {
		snprintf(old, sizeof old, "%s.section.%" PRIu64, s->hash, s->r.generation);
		snprintf(name, sizeof name, "%s.section.%" PRIu64, s->hash, g);
		unlinkat(s->dirfd, name, 0);
		int fd = openat(s->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		unsigned c = (unsigned)(sw & SW_CELL);
		off_t page = sysconf(_SC_PAGESIZE), size = ((off_t)s->r.size + page - 1) / page * page;
		if (fd < 0 || c >= s->r.cells || (errno = posix_fallocate(fd, 0, size)) != 0 ||
		    pwrite(fd, s->r.base, 64, 0) != 64 || pwrite(fd, &g, 8, 16) != 8 || pwrite(fd, &sw, 8, 128) != 8 ||
		    pwrite(fd, s->r.base + 256, s->r.schema_len, 256) != (ssize_t)s->r.schema_len ||
		    pwrite(fd, cell(&s->r, c), s->r.stride, cell(&s->r, c) - s->r.base) != (ssize_t)s->r.stride)
			die("%s/%s: %s", s->dir, name, strerror(errno));
		close(fd);
		atomic_store(CURRENT(s), g);
		wake(s);
		unlinkat(s->dirfd, old, 0);
	}
	unlock_name(s);
}

// check finds assignments that are wrong before the lock is held: fields only become more.
static void check(struct section *s, char **changes)
{
	struct value v = {0};
	if (s->r.form != FIXED)
		die("only fields can be set, and the section has none");
	load(s, &v);
	for (char **a = changes; *a; a++)
		assign(&s->r, v.bytes, *a);
	free(v.bytes);
}

static void store(struct section *s, char **changes)
{
	for (unsigned tries = 0;; tries++) {
		uint64_t lock = acquire(s);
		uint64_t sw = atomic_load(SWITCH(&s->r)), released = lock & ~(uint64_t)(LK_HELD | LK_COMMIT);
		unsigned c = (unsigned)(sw & SW_CELL);
		step("acquired");
		if (sw & SW_MOVED) {
			atomic_store(LOCK(&s->r), released);
			if (!follow(s))
				finish_growth(s);
			continue;
		}
		if (c >= s->r.cells)
			die("cell %u of %" PRIu32, c, s->r.cells);
		int to = spare(s, c);
		if (to < 0) {
			atomic_store(LOCK(&s->r), released);
			if (tries > 10000)
				die("readers have pinned all cells");
			nap(1000);
			continue;
		}
		memcpy(cell(&s->r, (unsigned)to), cell(&s->r, c), s->r.capacity);
		for (char **a = changes; *a; a++)
			assign(&s->r, cell(&s->r, (unsigned)to), *a);
		step("copied");
		atomic_store(LOCK(&s->r), lock | LK_COMMIT);
		step("committed");
		wake(s);
		step("woken");
		atomic_store(SWITCH(&s->r), (SW_VERSION(sw) + 1) << 4 | (uint64_t)to);
		step("switched");
		atomic_store(LOCK(&s->r), released);
		return;
	}
}

int main(int argc, char **argv)
{
	struct section s;
	long times = 1;
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "--times") == 0)
			times = strtol(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--stop") == 0)
			stop_at = argv[i + 1];
		else
			break;
	}
	if (argc - i < 2 || argv[i][0] == '-') {
		fprintf(stderr, "usage: writer [--times N] [--stop STEP] NAME path=value...\n");
		return 2;
	}
	join(&s, argv[i], 1);
	check(&s, argv + i + 1);
	while (times-- > 0)
		store(&s, argv + i + 1);
	leave(&s);
	return 0;
}
