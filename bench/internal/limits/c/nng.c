/* nng, a req and a rep socket over ipc. */
#include "common.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

static char address[4096];
static nng_socket client;

static void check(const char *what, int error) {
	if (error != 0) {
		fprintf(stderr, "%s: %s\n", what, nng_strerror(error));
		exit(1);
	}
}

static void receive(nng_socket s, uint8_t *message, size_t size) {
	size_t n = size;
	check("nng_recv", nng_recv(s, message, &n, 0));
	if (n != size) check("nng_recv", NNG_EMSGSIZE);
}

static void serve(size_t size) {
	nng_socket s;
	uint8_t *message = malloc(size);
	if (message == NULL) fail("malloc");
	check("nng_rep0_open", nng_rep0_open(&s));
	check("nng_socket_set_size", nng_socket_set_size(s, NNG_OPT_RECVMAXSZ, 0));
	check("nng_listen", nng_listen(s, address, NULL, 0));
	for (;;) {
		receive(s, message, size);
		answer(message, message, size);
		check("nng_send", nng_send(s, message, size, 0));
	}
}

static void ask(const uint8_t *arg, uint8_t *result, size_t size) {
	check("nng_send", nng_send(client, (void *)arg, size, 0));
	receive(client, result, size);
}

int main(int argc, char **argv) {
	if (argc == 2) return say("libnng", nng_version());
	struct arguments a = parse(argc, argv);
	snprintf(address, sizeof address, "ipc://%s/nng-%d", a.dir, (int)getpid());
	pid_t server = spawn(serve, a.size);
	check("nng_req0_open", nng_req0_open(&client));
	check("nng_socket_set_size", nng_socket_set_size(client, NNG_OPT_RECVMAXSZ, 0));
	check("nng_socket_set_ms", nng_socket_set_ms(client, NNG_OPT_RECONNMINT, 1));
	check("nng_dial", nng_dial(client, address, NULL, NNG_FLAG_NONBLOCK));
	run((struct way){ask, server, 0}, a.size, a.duration, a.rate);
	unlink(address + strlen("ipc://"));
	return 0;
}
