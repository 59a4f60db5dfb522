/* ZeroMQ, a REQ and a REP socket over ipc. */
#include "common.h"

#include <zmq.h>

static char address[4096];
static void *client;

static void *endpoint(int type, int (*join)(void *, const char *)) {
	void *context = zmq_ctx_new();
	void *s = context == NULL ? NULL : zmq_socket(context, type);
	if (s == NULL || join(s, address) != 0) fail(address);
	return s;
}

static void serve(size_t size) {
	void *s = endpoint(ZMQ_REP, zmq_bind);
	uint8_t *message = malloc(size);
	if (message == NULL) fail("malloc");
	while (zmq_recv(s, message, size, 0) == (int)size) {
		answer(message, message, size);
		if (zmq_send(s, message, size, 0) < 0) fail("zmq_send");
	}
	fail("zmq_recv");
}

static void ask(const uint8_t *arg, uint8_t *result, size_t size) {
	if (zmq_send(client, arg, size, 0) != (int)size) fail("zmq_send");
	if (zmq_recv(client, result, size, 0) != (int)size) fail("zmq_recv");
}

int main(int argc, char **argv) {
	if (argc == 2) {
		int major, minor, patch;
		zmq_version(&major, &minor, &patch);
		snprintf(address, sizeof address, "%d.%d.%d", major, minor, patch);
		return say("libzmq", address);
	}
	struct arguments a = parse(argc, argv);
	snprintf(address, sizeof address, "ipc://%s/zmq-%d", a.dir, (int)getpid());
	pid_t server = spawn(serve, a.size);
	client = endpoint(ZMQ_REQ, zmq_connect);
	run((struct way){ask, server, 0}, a.size, a.duration, a.rate);
	unlink(address + strlen("ipc://"));
	return 0;
}
