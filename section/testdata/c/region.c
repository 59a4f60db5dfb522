// Attaching to a region: all that its header and schema say is checked before it is used.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "partywall.h"

static uint32_t u32(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static uint64_t u64(const uint8_t *p) { return u32(p) | (uint64_t)u32(p + 4) << 32; }

// elem_size is the size of a value of a kind, 0 for a kind that does not exist.
int elem_size(uint8_t kind)
{
	static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 8, 16};
	return kind < sizeof sizes ? sizes[kind] : 0;
}

static void parse_fixed(struct region *r, const uint8_t *p, size_t n)
{
	if (n < 16 || u32(p + 4) != r->capacity)
		die("the schema does not have the region's size");
	r->nfields = u32(p + 12);
	if (r->nfields > (n - 16) / 11)
		die("the schema tells of %" PRIu32 " fields in %zu bytes", r->nfields, n);
	r->fields = need(calloc(r->nfields + 1, sizeof *r->fields));
	size_t at = 16;
	for (uint32_t i = 0; i < r->nfields; i++) {
		struct field *f = &r->fields[i];
		if (n - at < 11)
			die("the schema ends in field %" PRIu32, i);
		f->offset = u32(p + at);
		f->count = u32(p + at + 4);
		f->kind = p[at + 8];
		size_t len = p[at + 9] | (size_t)p[at + 10] << 8;
		at += 11;
		if (n - at < len)
			die("the schema ends in the path of field %" PRIu32, i);
		f->path = need(strndup((const char *)p + at, len));
		at += len;
		if (!elem_size(f->kind) || f->offset > r->capacity ||
		    f->count > (r->capacity - f->offset) / (uint64_t)elem_size(f->kind))
			die("field %s is of kind %d and does not lie in %" PRIu64 " bytes", f->path, f->kind, r->capacity);
	}
	if (at != n)
		die("the schema is longer than its fields");
}

static uint64_t up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

// check_header takes a private copy of the first 64 bytes, so that nothing changes while it is checked.
static void check_header(struct region *r, const uint8_t h[64], uint64_t generation, uint64_t size)
{
	if (memcmp(h, "PWALLSR1", 8) != 0 || u32(h + 8) != 1)
		die("no region of version 1");
	r->form = u32(h + 12);
	r->generation = u64(h + 16);
	r->capacity = u64(h + 24);
	r->stride = u64(h + 32);
	r->cells = u32(h + 40);
	r->schema_len = u32(h + 44);
	r->first = u64(h + 48);
	if (r->generation != generation)
		die("region %" PRIu64 " says that it is %" PRIu64, generation, r->generation);
	if (r->form < FIXED || r->form > DOCUMENT || r->capacity > 1u << 30)
		die("form %" PRIu32 " of %" PRIu64 " bytes", r->form, r->capacity);
	uint64_t v = r->form == FIXED ? r->capacity : r->capacity + 8;
	uint64_t unit = v <= 65536 ? 64 : 4096;
	if (r->cells != (v <= 65536 ? 4 : 3) || r->stride != up(v ? v : 1, unit) ||
	    r->first != up(256 + (uint64_t)r->schema_len, unit) || u64(h + 56) != r->first + r->cells * r->stride)
		die("the region's header contradicts itself");
	if (size < u64(h + 56))
		die("the region is shorter than its header says");
	r->size = u64(h + 56);
}

// attach maps the region of that generation; if the file is not there any more, r->base is NULL.
void attach(struct section *s, struct region *r, uint64_t generation)
{
	char name[64];
	struct stat st;
	uint8_t h[64];

	memset(r, 0, sizeof *r);
	snprintf(name, sizeof name, "%s.section.%" PRIu64, s->hash, generation);
	int fd = openat(s->dirfd, name, (s->writes ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || fstat(fd, &st) != 0)
		die("%s/%s: %s", s->dir, name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("%s/%s is no regular file", s->dir, name);
	if (pread(fd, h, sizeof h, 0) != sizeof h)
		die("%s/%s is shorter than a header", s->dir, name);
	check_header(r, h, generation, (uint64_t)st.st_size);
	r->base = mmap(NULL, r->size, PROT_READ | (s->writes ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (r->base == MAP_FAILED)
		die("mmap %s: %s", name, strerror(errno));
	close(fd);

	uint8_t *schema = need(malloc(r->schema_len + 4));
	memcpy(schema, r->base + 256, r->schema_len);
	if (r->schema_len < 4 || memcmp(schema, r->form == FIXED ? "pws\1" : r->form == BYTES ? "pwb\1" : "pwd\1", 4) != 0)
		die("the schema is not of form %" PRIu32, r->form);
	if (r->form == FIXED)
		parse_fixed(r, schema, r->schema_len);
	free(schema);
}

void detach(struct region *r)
{
	for (uint32_t i = 0; i < r->nfields; i++)
		free(r->fields[i].path);
	free(r->fields);
	munmap(r->base, r->size);
	memset(r, 0, sizeof *r);
}
