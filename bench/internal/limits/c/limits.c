/* What the machine itself can do: two processes that hand memory to each other and spin, the same with
   futexes, and copying within one process. */
#include "common.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* The two words lie two cache lines apart, so that no prefetching couples them. */
static struct shared {
	_Alignas(128) _Atomic uint32_t asked;
	_Alignas(128) _Atomic uint32_t answered;
	_Alignas(128) uint8_t bytes[];
} *shared;

static int parks; /* futexes, and no spinning */

static inline void relax(void) {
#if defined __x86_64__ || defined __i386__
	__builtin_ia32_pause();
#elif defined __aarch64__
	__asm__ volatile("yield");
#endif
}

static void await(_Atomic uint32_t *word, uint32_t wanted) {
	uint32_t is;
	while ((is = atomic_load_explicit(word, memory_order_acquire)) != wanted) {
		if (parks) syscall(SYS_futex, word, FUTEX_WAIT, is, NULL, NULL, 0);
		else relax();
	}
}

static void publish(_Atomic uint32_t *word, uint32_t value) {
	atomic_store_explicit(word, value, memory_order_release);
	if (parks) syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void serve(size_t size) {
	for (uint32_t n = 1;; n++) {
		await(&shared->asked, n);
		answer(shared->bytes, shared->bytes, size);
		publish(&shared->answered, n);
	}
}

static void ping(const uint8_t *arg, uint8_t *result, size_t size) {
	static uint32_t n;
	copy_bytes(shared->bytes, arg, size);
	publish(&shared->asked, ++n);
	await(&shared->answered, n);
	copy_bytes(result, shared->bytes, size);
}

static void copy(const uint8_t *arg, uint8_t *result, size_t size) { copy_bytes(result, arg, size); }

int main(int argc, char **argv) {
	if (argc == 2) return say("cc", __VERSION__);
	struct arguments a = parse(argc, argv);
	if (strcmp(a.mode, "memcpy") == 0) {
		run((struct way){copy, 0, 1}, a.size, a.duration, a.rate);
		return 0;
	}
	parks = strcmp(a.mode, "futex") == 0;
	shared = mmap(NULL, sizeof *shared + a.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) fail("mmap");
	run((struct way){ping, spawn(serve, a.size), 0}, a.size, a.duration, a.rate);
	return 0;
}
