/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "profiler/agent/listener.h"
#include "profiler/base/number.h"

static const char *set_v4(struct address *a, const char *host, uint16_t port)
{
	struct sockaddr_in *to = (struct sockaddr_in *)&a->socket;

	to->sin_family = AF_INET;
	to->sin_port = htons(port);
	a->len = sizeof(*to);
	if (inet_pton(AF_INET, host, &to->sin_addr) != 1)
		return "takes [ADDRESS:]PORT, such as 127.0.0.1:9100 or [::1]:9100";
	a->loopback = ntohl(to->sin_addr.s_addr) >> 24 == 127;
	return NULL;
}

static const char *set_v6(struct address *a, const char *host, uint16_t port)
{
	struct sockaddr_in6 *to = (struct sockaddr_in6 *)&a->socket;

	to->sin6_family = AF_INET6;
	to->sin6_port = htons(port);
	a->len = sizeof(*to);
	if (inet_pton(AF_INET6, host, &to->sin6_addr) != 1)
		return "that is no IPv6 address";
	a->loopback = IN6_IS_ADDR_LOOPBACK(&to->sin6_addr);
	return NULL;
}

const char *address_parse(const char *s, struct address *a)
{
	const char *colon = strrchr(s, ':'), *port = colon ? colon + 1 : s;
	char host[INET6_ADDRSTRLEN + 2] = "127.0.0.1";
	size_t n = colon ? (size_t)(colon - s) : 0;
	uint64_t v;

	*a = (struct address){ .len = 0 };
	if (number_parse(port, 0, UINT16_MAX, &v))
		return "the port is a number from 0 to 65535";
	if (n >= sizeof(host))
		return "the address is too long";
	if (n && strncmp(s, "localhost:", 10))
		snprintf(host, sizeof(host), "%.*s", (int)n, s);
	if (*host != '[')
		return set_v4(a, host, (uint16_t)v);
	if (host[n - 1] != ']')
		return "an IPv6 address stands in brackets";
	host[n - 1] = 0;
	return set_v6(a, host + 1, (uint16_t)v);
}
