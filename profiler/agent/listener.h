/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers GET for a few pages over HTTP, with a thread of its own. Whoever asks costs
 * little: LISTENER_CONNECTIONS at most, each for LISTENER_SECONDS at most and for one
 * request; if there are too many the oldest ends.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

struct buf;
struct listener;

enum { LISTENER_CONNECTIONS = 16, LISTENER_SECONDS = 10 };

struct listener_page {
	const char *path, *type;
	/* Writes the page; returns the status, such as 200. */
	unsigned (*write)(void *arg, struct buf *to);
	void *arg;
};

struct address {
	struct sockaddr_storage socket;
	socklen_t len;
	bool loopback; /* only this machine can reach it */
};

/* "9100", "127.0.0.1:9100", "[::1]:9100", "localhost:9100"; names are not looked up. Port
 * 0: any. NULL, or what is wrong: a static string. */
const char *address_parse(const char *s, struct address *a);

/* Pages are ended by a path of NULL and must outlive it. name: becomes where it listens, as
 * http://ADDRESS:PORT. NULL: *why says what is wrong. */
struct listener *listener_new(const struct address *a, const struct listener_page *pages,
			      char name[80], const char **why);
void listener_free(struct listener *l); /* takes NULL */
