// A section of partywall for C on Linux, written from docs/LAYOUT.md and docs/PROTOCOL.md.

#ifndef PARTYWALL_H
#define PARTYWALL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { FIXED = 1, BYTES = 2, DOCUMENT = 3 };

// The switch word and the lock word of a region.
#define SW_CELL 7u
#define SW_MOVED 8u
#define SW_VERSION(w) ((w) >> 4)
#define LK_HELD 1u
#define LK_COMMIT 2u
#define LK_HOLDER(w) ((unsigned)((w) >> 2 & 0x3fff))
#define LK_TICKET(w) ((w) >> 16)

struct field {
	uint32_t offset, count;
	uint8_t kind;
	char *path;
};

struct region {
	uint8_t *base; // mapped; only the writer's for writing
	size_t size;
	uint32_t form, cells, schema_len;
	uint64_t generation, capacity, stride, first;
	struct field *fields; // of a fixed layout
	uint32_t nfields;
};

struct section {
	char name[101], hash[25], dir[3800];
	int dirfd, fd; // the run directory; H.section, whose open file has the locks
	int writes;
	uint8_t *anchor;
	size_t anchor_size;
	uint32_t entries, me;
	struct region r;
};

// value is a private copy of what a cell holds: of a fixed layout capacity bytes.
struct value {
	uint64_t version, len;
	uint8_t *bytes;
};

// sha256.c
void hash_name(const char *name, char hex[25]);

// section.c: all of it ends the program with a message if anything is wrong.
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *need(void *p);
void nap(unsigned microseconds);
int alive(const struct section *s, unsigned number);
void lock_name(struct section *s);
void unlock_name(struct section *s);
void join(struct section *s, const char *name, int writes);
void leave(struct section *s);
int follow(struct section *s);
void load(struct section *s, struct value *v);
void wake(struct section *s);

// region.c
void attach(struct section *s, struct region *r, uint64_t generation);
void detach(struct region *r);
int elem_size(uint8_t kind);

static inline _Atomic uint64_t *word(const void *base, uint64_t at) { return (_Atomic uint64_t *)((uintptr_t)base + at); }
static inline _Atomic uint32_t *half(const void *base, uint64_t at) { return (_Atomic uint32_t *)((uintptr_t)base + at); }

#define CURRENT(s) word((s)->anchor, 128)
#define BELL(s) half((s)->anchor, 256)
#define SLEEPERS(s) half((s)->anchor, 260)
#define ENTRY(s, n) ((s)->anchor + 384 + (size_t)(n) * 32)
#define PINS(s, n) word(ENTRY(s, n), 8)
#define SWITCH(r) word((r)->base, 128)
#define LOCK(r) word((r)->base, 136)

static inline uint8_t *cell(const struct region *r, unsigned c) { return r->base + r->first + c * r->stride; }

#endif
