// reader NAME                 prints "VERSION path=value" for each field of the section's value.
// reader --watch NAME COUNT   prints a line with all fields: for the present version, and then for each
//                             version that it sees, until it has seen COUNT after the first.

#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "partywall.h"

#define MOST 1000 // elements that are printed one by one

static void print_element(const uint8_t *p, uint8_t kind)
{
	union { int8_t i1; int16_t i2; int32_t i4; int64_t i8; uint16_t u2; uint32_t u4; uint64_t u8; float f[2]; double d[2]; } v;
	memcpy(&v, p, (size_t)elem_size(kind));
	switch (kind) {
	case 1: printf("%s", *p ? "true" : "false"); break;
	case 2: printf("%d", v.i1); break;
	case 3: printf("%d", v.i2); break;
	case 4: printf("%" PRId32, v.i4); break;
	case 5: printf("%" PRId64, v.i8); break;
	case 6: printf("%u", *p); break;
	case 7: printf("%u", v.u2); break;
	case 8: printf("%" PRIu32, v.u4); break;
	case 9: printf("%" PRIu64, v.u8); break;
	case 10: printf("%.9g", (double)v.f[0]); break;
	case 11: printf("%.17g", v.d[0]); break;
	case 12: printf("(%.9g%+.9gi)", (double)v.f[0], (double)v.f[1]); break;
	case 13: printf("(%.17g%+.17gi)", v.d[0], v.d[1]); break;
	}
}

// print_sum prints for what is long how many elements there are, and the FNV-1a sum of their bytes.
static void print_sum(const uint8_t *p, uint64_t elements, uint64_t bytes)
{
	uint64_t sum = 0xcbf29ce484222325;
	for (uint64_t i = 0; i < bytes; i++)
		sum = (sum ^ p[i]) * 0x100000001b3;
	printf("(%" PRIu64 ":%016" PRIx64 ")", elements, sum);
}

static void print_field(const struct field *f, const struct value *v)
{
	size_t size = (size_t)elem_size(f->kind);
	printf("%s=", f->path);
	if (f->count > MOST) {
		print_sum(v->bytes + f->offset, f->count, f->count * size);
		return;
	}
	for (uint32_t i = 0; i < f->count; i++) {
		if (i)
			putchar(',');
		print_element(v->bytes + f->offset + i * size, f->kind);
	}
}

static void print_value(const struct section *s, const struct value *v, int lines)
{
	printf("%" PRIu64, v->version);
	if (s->r.form != FIXED) {
		printf(" %s=", s->r.form == BYTES ? "bytes" : "document");
		if (v->len > MOST)
			print_sum(v->bytes, v->len, v->len);
		for (uint64_t i = 0; i < v->len && v->len <= MOST; i++)
			printf("%02x", v->bytes[i]);
	}
	for (uint32_t i = 0; i < s->r.nfields; i++) {
		if (lines && i)
			printf("\n%" PRIu64, v->version);
		putchar(' ');
		print_field(&s->r.fields[i], v);
	}
	putchar('\n');
	if (fflush(stdout) != 0)
		die("standard output: %s", strerror(errno));
}

// wait_beyond comes back when there is a version above n.
static void wait_beyond(struct section *s, uint64_t n)
{
	for (unsigned turns = 0;;) {
		uint32_t bell = atomic_load(BELL(s));
		atomic_store(SLEEPERS(s), 1);
		uint64_t lock = atomic_load(LOCK(&s->r)), sw = atomic_load(SWITCH(&s->r));
		if (SW_VERSION(sw) > n)
			return;
		if ((sw & SW_MOVED) && follow(s))
			continue;
		if ((lock & LK_HELD) && (lock & LK_COMMIT) && alive(s, LK_HOLDER(lock))) {
			if (turns++ > 100)
				nap(turns < 1000 ? 20 : 1000);
			continue;
		}
		turns = 0;
		if (syscall(SYS_futex, BELL(s), FUTEX_WAIT_BITSET, bell, NULL, NULL, 1u << (s->me % 32)) != 0 &&
		    errno != EAGAIN && errno != EINTR)
			die("FUTEX_WAIT_BITSET: %s", strerror(errno));
	}
}

int main(int argc, char **argv)
{
	int watching = argc == 4 && strcmp(argv[1], "--watch") == 0;
	struct value v = {0};
	struct section s;

	if (!watching && argc != 2) {
		fprintf(stderr, "usage: reader NAME | reader --watch NAME COUNT\n");
		return 2;
	}
	join(&s, argv[watching ? 2 : 1], 0);
	load(&s, &v);
	if (!watching) {
		print_value(&s, &v, 1);
	} else {
		atomic_store(half(ENTRY(&s, s.me), 24), 1);
		print_value(&s, &v, 0);
		for (unsigned long i = strtoul(argv[3], NULL, 10); i > 0; i--) {
			wait_beyond(&s, v.version);
			load(&s, &v);
			print_value(&s, &v, 0);
		}
		atomic_store(half(ENTRY(&s, s.me), 24), 0);
	}
	leave(&s);
	return 0;
}
