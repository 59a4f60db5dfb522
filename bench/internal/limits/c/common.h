/* What the C programs of the benchmark share: the work, the clock, the histogram, the loop. */
#ifndef PARTYWALL_BENCH_COMMON_H
#define PARTYWALL_BENCH_COMMON_H

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, BUCKETS = 64 * 32 };

static uint8_t mask[PAGE];

static void fail(const char *what) {
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now(clockid_t clock) {
	struct timespec t;
	if (clock_gettime(clock, &t) != 0) fail("clock_gettime");
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* As wide as what Go's crypto/subtle.XORBytes works with, and what every x86-64 has. */
typedef uint8_t piece __attribute__((vector_size(16)));

/* answer is the servers' work, the same as Answer in Go: each byte is read, each is written. */
static inline void answer(uint8_t *result, const uint8_t *arg, size_t size) {
	for (size_t at = 0; at < size; at += PAGE) {
		size_t n = size - at < PAGE ? size - at : PAGE;
		size_t i = 0;
		/* In pieces, since a compiler that does not know whether the two overlap would go byte by byte. */
		for (; i + sizeof(piece) <= n; i += sizeof(piece)) {
			piece a, m;
			memcpy(&a, arg + at + i, sizeof a);
			memcpy(&m, mask + i, sizeof m);
			a ^= m;
			memcpy(result + at + i, &a, sizeof a);
		}
		for (; i < n; i++) result[at + i] = arg[at + i] ^ mask[i];
	}
}

/* copy_bytes is memcpy, in pieces that stay in the caches for messages that these hold. In one call, the C library
   writes large blocks past them, to main memory, where the peer then has to fetch them from. */
static inline void copy_bytes(uint8_t *to, const uint8_t *from, size_t size) {
	enum { part = 256 << 10, cached = 2 << 20 };
	if (size <= cached)
		for (; size > part; size -= part, to += part, from += part) memcpy(to, from, part);
	memcpy(to, from, size);
}

/* Times, in buckets a thirty-second of their value wide. */
struct histogram {
	uint64_t count, buckets[BUCKETS];
};

static void record(struct histogram *h, int64_t ns) {
	uint64_t v = ns < 0 ? 0 : (uint64_t)ns;
	int shift = v < 32 ? 0 : 64 - __builtin_clzll(v) - 6;
	h->buckets[v < 32 ? v : (uint64_t)(shift + 1) * 32 + (v >> shift) - 32]++;
	h->count++;
}

static int64_t quantile(const struct histogram *h, double q) {
	uint64_t left = (uint64_t)(q * (double)h->count);
	for (int i = 0; i < BUCKETS; i++) {
		if (h->buckets[i] > left) {
			if (i < 32) return i;
			int shift = i / 32 - 1;
			return ((int64_t)(i % 32 + 32) << shift) + (INT64_C(1) << shift >> 1);
		}
		left -= h->buckets[i];
	}
	return 0;
}

/* One way to exchange bytes. server is the other process, or 0 if there is none. */
struct way {
	void (*call)(const uint8_t *arg, uint8_t *result, size_t size);
	pid_t server;
	int copies; /* the answer is the request itself */
};

static int64_t cpu_of(pid_t pid) {
	clockid_t clock;
	if (pid == 0) return 0;
	if (clock_getcpuclockid(pid, &clock) != 0) fail("clock_getcpuclockid");
	return now(clock);
}

static int64_t rss_of(pid_t pid) {
	char path[64];
	long pages = 0;
	if (pid == 0) return 0;
	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	FILE *f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%*s %ld", &pages) != 1) fail(path);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void next_question(uint8_t *arg, uint8_t *want, size_t size, uint64_t n, int copies) {
	for (size_t at = 0; at < size; at += PAGE) {
		uint64_t word = n + at;
		size_t room = size - at < sizeof word ? size - at : sizeof word;
		memcpy(arg + at, &word, room);
		if (copies) memcpy(want + at, &word, room);
		else answer(want + at, (uint8_t *)&word, room);
	}
}

/* run measures a way for a time, at a rate if there is one, and prints what it has found. Every answer
   is verified, between the calls. */
static void run(struct way way, size_t size, int64_t duration, double rate) {
	static struct histogram times;
	uint8_t *arg = malloc(size), *result = malloc(size), *want = malloc(size);
	if (arg == NULL || result == NULL || want == NULL) fail("malloc");
	for (size_t i = 0; i < size; i++) arg[i] = (uint8_t)(i * 3);
	if (way.copies) memcpy(want, arg, size);
	else answer(want, arg, size);

	int64_t start = now(CLOCK_MONOTONIC), begin = start + duration / 10, end = 0, cpu = 0, server_cpu = 0, next = start, last = start;
	for (uint64_t n = 1;; n++) {
		if (end == 0 && last >= begin) { /* it is warm */
			cpu = now(CLOCK_PROCESS_CPUTIME_ID);
			server_cpu = cpu_of(way.server);
			start = now(CLOCK_MONOTONIC);
			end = start + duration;
		}
		if (rate > 0) {
			next += (int64_t)(1e9 / rate);
			struct timespec t = {next / 1000000000, next % 1000000000};
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		}
		next_question(arg, want, size, n, way.copies);
		int64_t before = now(CLOCK_MONOTONIC);
		way.call(arg, result, size);
		last = now(CLOCK_MONOTONIC);
		if (memcmp(result, want, size) != 0) {
			fprintf(stderr, "a wrong answer\n");
			exit(1);
		}
		if (end != 0) {
			record(&times, last - before);
			if (last >= end) break;
		}
	}
	static const double qs[] = {0, .1, .25, .5, .75, .9, .95, .99, .995, .999, .9999};
	printf("{\"calls\":%llu,\"seconds\":%.9f,\"client_cpu_ns\":%lld,\"server_cpu_ns\":%lld,\"client_rss\":%lld,\"server_rss\":%lld,\"quantiles\":[",
	       (unsigned long long)times.count, (double)(last - start) / 1e9,
	       (long long)(now(CLOCK_PROCESS_CPUTIME_ID) - cpu), (long long)(cpu_of(way.server) - server_cpu),
	       (long long)rss_of(getpid()), (long long)rss_of(way.server));
	for (size_t i = 0; i < sizeof qs / sizeof *qs; i++)
		printf("%s{\"q\":%g,\"ns\":%lld}", i == 0 ? "" : ",", qs[i], (long long)quantile(&times, qs[i]));
	printf("]}\n");
	if (way.server != 0) {
		kill(way.server, SIGKILL);
		waitpid(way.server, NULL, 0);
	}
}

/* spawn forks the server process, which does not outlive this one. */
static pid_t spawn(void (*serve)(size_t size), size_t size) {
	pid_t parent = getpid(), child = fork();
	if (child < 0) fail("fork");
	if (child > 0) return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) serve(size);
	_exit(1);
}

static void init(void) {
	for (int i = 0; i < PAGE; i++) mask[i] = (uint8_t)(i * 7) | 1;
}

/* say prints what a program is built with, which is what it does with one argument. */
static int say(const char *what, const char *version) { return printf("%s %s\n", what, version) < 0; }

/* Otherwise every program takes the same arguments: MODE SIZE NANOSECONDS RATE DIRECTORY. */
struct arguments {
	const char *mode, *dir;
	size_t size;
	int64_t duration;
	double rate;
};

static struct arguments parse(int argc, char **argv) {
	if (argc != 6) {
		fprintf(stderr, "usage: %s MODE SIZE NANOSECONDS RATE DIRECTORY\n", argv[0]);
		exit(2);
	}
	init();
	return (struct arguments){argv[1], argv[5], strtoull(argv[2], NULL, 10), strtoll(argv[3], NULL, 10), strtod(argv[4], NULL)};
}

#endif
