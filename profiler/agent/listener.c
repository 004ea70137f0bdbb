/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "profiler/agent/worker.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/microhttpd.h"

enum {
	IDLE_SECONDS = 5,  /* between two bytes */
	MEMORY = 16 << 10, /* of each connection: the head of its request */
	/* At its own limit the library does not look at who comes next, so it is never
	 * reached. */
	LIMIT = 2 * LISTENER_CONNECTIONS,
	BACKLOG = 128,
	END_SECONDS = 2,
	LOOK_MS = 500,
};

struct connection {
	int fd;
	uint64_t began_ns;
};

struct listener {
	const struct microhttpd_lib *lib;
	const struct listener_page *pages;
	struct MHD_Daemon *daemon;
	struct worker worker;
	int fd, wake; /* wake is written to at the end; -1 */
	/* of its thread: */
	struct connection open[LIMIT]; /* oldest first */
	uint32_t n_open;
};

/* Connections. */

static void on_connection(void *arg, struct MHD_Connection *c, void **mine,
			  enum MHD_ConnectionNotificationCode what)
{
	struct listener *l = arg;
	int fd = l->lib->MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
			 ->connect_fd;
	uint32_t i;

	(void)mine;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		if (l->n_open < LIMIT)
			l->open[l->n_open++] = (struct connection){ fd, clock_now_ns() };
		if (l->n_open > LISTENER_CONNECTIONS)
			shutdown(l->open[l->n_open - LISTENER_CONNECTIONS - 1].fd,
				 SHUT_RDWR);
		return;
	}
	for (i = 0; i < l->n_open && l->open[i].fd != fd; i++)
		;
	if (i == l->n_open)
		return;
	l->n_open--;
	memmove(&l->open[i], &l->open[i + 1], (l->n_open - i) * sizeof(*l->open));
}

/* The library's own limit is between two bytes: who sends one a second is never done. */
static void end_slow(struct listener *l)
{
	uint64_t now = clock_now_ns();

	for (uint32_t i = 0; i < l->n_open; i++)
		if (now - l->open[i].began_ns > LISTENER_SECONDS * (uint64_t)SECOND)
			shutdown(l->open[i].fd, SHUT_RDWR);
}

/* Requests. */

static enum MHD_Result answer(struct listener *l, struct MHD_Connection *c, unsigned status,
			      const char *type, struct buf *text)
{
	const struct microhttpd_lib *lib = l->lib;
	struct MHD_Response *r = lib->MHD_create_response_from_buffer(
		text->len, text->data, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ret;

	if (!r)
		return MHD_NO;
	lib->MHD_add_response_header(r, "Content-Type", type);
	lib->MHD_add_response_header(r, "Connection", "close");
	lib->MHD_add_response_header(r, "Cache-Control", "no-store");
	lib->MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		lib->MHD_add_response_header(r, "Allow", "GET, HEAD");
	ret = lib->MHD_queue_response(c, status, r);
	lib->MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_len, void **mine)
{
	const char *type = "text/plain; charset=utf-8";
	struct listener *l = arg;
	const struct listener_page *p = l->pages;
	struct buf text = { 0 };
	enum MHD_Result ret;
	unsigned status;

	(void)version, (void)body, (void)body_len, (void)mine;
	while (p->path && strcmp(p->path, url))
		p++;
	if (strcmp(method, "GET") && strcmp(method, "HEAD")) {
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
		buf_str(&text, "only GET and HEAD\n");
	} else if (!p->path) {
		status = MHD_HTTP_NOT_FOUND;
		buf_str(&text, "there are:");
		for (p = l->pages; p->path; p++)
			buf_printf(&text, " %s", p->path);
		buf_u8(&text, '\n');
	} else {
		status = p->write(p->arg, &text);
		type = p->type;
	}
	ret = answer(l, c, status, type, &text);
	buf_release(&text);
	return ret;
}

static void run(void *arg)
{
	struct listener *l = arg;
	const struct microhttpd_lib *lib = l->lib;
	struct pollfd fds[2] = {
		{ .fd = lib->MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)
				->epoll_fd,
		  .events = POLLIN },
		{ .fd = l->wake, .events = POLLIN },
	};

	while (!fds[1].revents) {
		MHD_UNSIGNED_LONG_LONG ms;
		int wait_ms = l->n_open ? LOOK_MS : -1;

		if (lib->MHD_get_timeout(l->daemon, &ms) == MHD_YES && ms < LOOK_MS)
			wait_ms = (int)ms;
		poll(fds, 2, wait_ms);
		lib->MHD_run(l->daemon);
		end_slow(l);
	}
}

/* From the outside. */

static int open_socket(const struct address *a)
{
	int on = 1,
	    fd = socket(a->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, (const struct sockaddr *)&a->socket, a->len) && !listen(fd, BACKLOG))
		return fd;
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

static void say_name(int fd, char name[80])
{
	struct sockaddr_storage s = { 0 };
	socklen_t len = sizeof(s);
	char host[INET6_ADDRSTRLEN] = "";

	getsockname(fd, (struct sockaddr *)&s, &len);
	if (s.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (struct sockaddr_in6 *)&s;

		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
		snprintf(name, 80, "http://[%s]:%u", host, ntohs(in->sin6_port));
	} else {
		const struct sockaddr_in *in = (struct sockaddr_in *)&s;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(name, 80, "http://%s:%u", host, ntohs(in->sin_port));
	}
}

static const char *start(struct listener *l, const struct address *a)
{
	l->fd = open_socket(a);
	if (l->fd < 0)
		return strerror(errno);
	l->wake = eventfd(0, EFD_CLOEXEC);
	if (l->wake < 0)
		return strerror(errno);
	l->daemon = l->lib->MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, l, MHD_OPTION_LISTEN_SOCKET,
		l->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_END);
	if (!l->daemon)
		return "libmicrohttpd cannot be started";
	return worker_start(&l->worker, run, l) ? "no thread could be started" : NULL;
}

struct listener *listener_new(const struct address *a, const struct listener_page *pages,
			      char name[80], const char **why)
{
	const struct microhttpd_lib *lib = microhttpd_load(why);
	struct listener *l;

	if (!lib)
		return NULL;
	l = mem_zalloc(sizeof(*l));
	*l = (struct listener){ .lib = lib, .pages = pages, .fd = -1, .wake = -1 };
	worker_init(&l->worker);
	*why = start(l, a);
	if (!*why) {
		say_name(l->fd, name);
		return l;
	}
	listener_free(l);
	return NULL;
}

void listener_free(struct listener *l)
{
	static const uint64_t one = 1;

	if (!l)
		return;
	if (l->wake >= 0 && write(l->wake, &one, sizeof(one)) < 0)
		return;
	/* a page waits for locks: then it stays */
	if (!worker_ended(&l->worker, clock_now_ns() + END_SECONDS * (uint64_t)SECOND))
		return;
	if (l->daemon)
		l->lib->MHD_stop_daemon(l->daemon); /* closes the socket */
	else if (l->fd >= 0)
		close(l->fd);
	if (l->wake >= 0)
		close(l->wake);
	worker_release(&l->worker);
	free(l);
}
