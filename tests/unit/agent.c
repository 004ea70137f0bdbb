/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the agent: who a process is, what is queued, when it is sent again. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/agent/bound.h"
#include "profiler/agent/identity.h"
#include "profiler/agent/item.h"
#include "profiler/agent/logger.h"
#include "profiler/agent/queue.h"
#include "profiler/agent/receiver.h"
#include "profiler/agent/retry.h"
#include "profiler/agent/secret.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/profile/labels.h"
#include "tests/unit/profile_by_hand.h"

/* Who a process is. */

static void encodes(const char *vars, size_t len, const char *const *defaults,
		    const char *want)
{
	struct buf env = { 0 }, set = { 0 };

	buf_add(&env, vars, len);
	identity_encode(&env, defaults, &set);
	cr_expect_str_eq(buf_text(&set), want);
	buf_release(&env);
	buf_release(&set);
}

#define ENCODES(vars, want, ...) \
	encodes(vars, sizeof(vars), \
		(const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL }, want)

Test(agent, service_name_of_the_environment_goes_first)
{
	ENCODES("A=b\0OTEL_SERVICE_NAME=web\0OTEL_RESOURCE_ATTRIBUTES=service.name=x,a=b",
		"a=b,service.name=web", "service.name", "unit");
	ENCODES("OTEL_RESOURCE_ATTRIBUTES=service.name=x", "service.name=x", "service.name",
		"unit");
	ENCODES("XOTEL_SERVICE_NAME=web\0OTEL_SERVICE_NAME=", "service.name=unit",
		"service.name", "", "service.name", "unit", "service.name", "program");
}

Test(agent, attributes_are_percent_decoded)
{
	ENCODES("OTEL_RESOURCE_ATTRIBUTES= k = a%2Cb%3dc d ,x=%25,", "k=a\\2cb\\3dc d,x=%");
}

Test(agent, attributes_that_are_not_as_specified_are_void)
{
	ENCODES("OTEL_RESOURCE_ATTRIBUTES=a=b,c=%2", "");
	ENCODES("OTEL_RESOURCE_ATTRIBUTES=a=b,c=%zz", "");
	ENCODES("OTEL_RESOURCE_ATTRIBUTES=a=b,c", "");
	ENCODES("OTEL_RESOURCE_ATTRIBUTES=a=b,=c", "");
	ENCODES("OTEL_RESOURCE_ATTRIBUTES=a=b,c", "service.name=p", "service.name", "p");
}

Test(agent, long_attributes_are_cut)
{
	char vars[1000] = "OTEL_SERVICE_NAME=", want[1000] = "service.name=";
	const char *const none[] = { NULL };

	memset(vars + strlen(vars), 'x', 500);
	memset(want + strlen(want), 'x', 255);
	encodes(vars, strlen(vars) + 1, none, strcat(want, "\\+"));
}

static void groups(const char *text, const char *path, const char *unit,
		   const char *container)
{
	struct buf in = { 0 }, p = { 0 }, u = { 0 }, c = { 0 };
	struct cgroups g = { &p, &u, &c, false };

	buf_str(&in, text);
	cgroups_parse(&in, &g);
	cr_expect_str_eq(buf_text(&p), path);
	cr_expect_str_eq(buf_text(&u), unit);
	cr_expect_str_eq(buf_text(&c), container);
	cr_expect_eq(g.container_is_id, strlen(container) == 64);
	buf_release(&in);
	buf_release(&p);
	buf_release(&u);
	buf_release(&c);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(agent, units_and_containers_of_control_groups)
{
	groups("0::/system.slice/nginx.service\n", "/system.slice/nginx.service",
	       "nginx.service", "");
	groups("0::/user.slice/user-0.slice/user@0.service/app.slice/run-1.scope\n",
	       "/user.slice/user-0.slice/user@0.service/app.slice/run-1.scope", "", "");
	groups("0::/system.slice/docker-" ID ".scope\n",
	       "/system.slice/docker-" ID ".scope", "", ID);
	groups("0::/system.slice/containerd.service/kubepods-pod1.slice:cri:" ID,
	       "/system.slice/containerd.service/kubepods-pod1.slice:cri:" ID, "", ID);
	groups("0::/kubepods/pod1/" ID "0\n", "/kubepods/pod1/" ID "0", "", "");
	groups("0::/lxc.payload.web/system.slice/a.service\n",
	       "/lxc.payload.web/system.slice/a.service", "a.service", "web");
	groups("0::/machine.slice/machine-web.scope\n", "/machine.slice/machine-web.scope",
	       "", "web");
	/* version 1, alone and beside version 2 */
	groups("4:cpu,cpuacct:/x\n1:name=systemd:/docker/" ID "\n0::/\n", "/docker/" ID, "",
	       ID);
	groups("0::/\n1:name=systemd:/system.slice/b.service\n", "/system.slice/b.service",
	       "b.service", "");
	groups("", "", "", "");
	groups("rubbish\n:\n::\n", "", "", "");
}

/* The attributes of this very process. */
static bool reads(struct choice *c)
{
	struct buf set = { 0 }, name = { 0 };
	bool ret = identity_read(c, (uint32_t)getpid(), "/usr/bin/unit-tests", &set);

	if (ret)
		cr_expect_eq(labels_find(buf_text(&set), "service.name", 12, &name),
			     LABEL_WHOLE);
	else
		cr_expect_eq(set.len, 0);
	choice_release(c);
	buf_release(&set);
	buf_release(&name);
	return ret;
}

static void want(const char ***rows, uint32_t *n, uint32_t *cap, const char *pattern)
{
	*table_add(*rows, *n, *cap) = pattern;
}

Test(agent, processes_are_chosen_by_any_pattern)
{
	struct choice c = { 0 };

	cr_expect(reads(&c));
	want(&c.names, &c.n_names, &c.cap_names, "unit-*");
	cr_expect(reads(&c));
	want(&c.names, &c.n_names, &c.cap_names, "unit");
	want(&c.units, &c.n_units, &c.cap_units, "no-such-unit");
	cr_expect_not(reads(&c));
	want(&c.names, &c.n_names, &c.cap_names, "unit");
	want(&c.cgroups, &c.n_cgroups, &c.cap_cgroups, "/*");
	cr_expect(reads(&c));
	want(&c.cgroups, &c.n_cgroups, &c.cap_cgroups, "/no-such-group");
	cr_expect_not(reads(&c));
}

/* The queue. */

static char dropped[256];

static void on_dropped(void *arg, const struct item *it)
{
	(void)arg;
	strcat(dropped, it->origin.service);
}

static struct item *named(const char *name, size_t len)
{
	const struct origin o = { name, "", "", "", "", "", 7 };
	void *bytes = mem_zalloc(len);
	struct item *it = item_new(ENCODED_PPROF, &o, bytes, len);

	free(bytes);
	return it;
}

static void put(struct queue *q, const char *name, size_t len)
{
	struct item *it = named(name, len);

	queue_put(q, it);
	item_drop(it);
}

Test(agent, a_full_queue_drops_the_oldest)
{
	struct item *one = named("x", 10000);
	size_t size = item_size(one);
	struct queue q;
	struct entry *e;
	uint64_t due;

	item_drop(one);
	queue_init(&q, 3 * size);
	q.dropped = on_dropped;
	put(&q, "a", 10000);
	put(&q, "b", 10000);
	put(&q, "c", 10000);
	cr_expect_str_eq(dropped, "");
	e = queue_next(&q, 1, &due);
	cr_expect_str_eq(e->item->origin.service, "a");
	e->taken = true; /* it is on its way: another one has to go */
	put(&q, "d", 10000);
	cr_expect_str_eq(dropped, "b");
	put(&q, "e", 15000); /* needs the room of two */
	cr_expect_str_eq(dropped, "bcd");
	put(&q, "f", 3 * size); /* will never fit: no reason to drop others */
	cr_expect_str_eq(dropped, "bcdf");
	cr_expect_eq(q.n, 2);
	queue_remove(&q, e);
	cr_expect_eq(q.n, 1);
	cr_expect_lt(q.bytes, 2 * size);
	queue_release(&q);
	cr_expect_eq(q.bytes, 0);
}

Test(agent, the_first_that_is_due_is_next)
{
	struct queue q;
	uint64_t due;
	struct entry *e;

	queue_init(&q, 1 << 20);
	q.dropped = on_dropped;
	cr_expect_null(queue_next(&q, 5, &due));
	cr_expect_eq(due, UINT64_MAX);
	put(&q, "a", 1);
	put(&q, "b", 1);
	queue_first(&q)->not_before = 10;
	e = queue_next(&q, 5, &due);
	cr_expect_str_eq(e->item->origin.service, "b");
	e->taken = true;
	cr_expect_null(queue_next(&q, 5, &due));
	cr_expect_eq(due, 10);
	cr_expect_str_eq(queue_next(&q, 10, &due)->item->origin.service, "a");
	queue_release(&q);
}

/* Sending again. */

Test(agent, what_answers_mean)
{
	cr_expect_eq(fate_of(200, "", true, false), FATE_SENT);
	cr_expect_eq(fate_of(200, "", false, false), FATE_FAILED); /* a page */
	cr_expect_eq(fate_of(200, "", true, true), FATE_FAILED);   /* 100 MB */
	cr_expect_eq(fate_of(204, "", false, false), FATE_FAILED);
	cr_expect_eq(fate_of(301, "", false, false), FATE_REFUSED);
	cr_expect_eq(fate_of(400, "", false, false), FATE_REFUSED);
	cr_expect_eq(fate_of(404, "", false, false), FATE_REFUSED);
	cr_expect_eq(fate_of(422, "", false, false), FATE_REFUSED);
	cr_expect_eq(fate_of(413, "", false, false), FATE_TOO_LARGE);
	cr_expect_eq(fate_of(429, "grpc: received message larger than max (9 vs. 4)", false,
			     false),
		     FATE_TOO_LARGE);
	cr_expect_eq(fate_of(400, "http: request body too large", false, false),
		     FATE_TOO_LARGE);
	cr_expect_eq(fate_of(500, "http: request body too large", false, false),
		     FATE_FAILED);
	cr_expect_eq(fate_of(401, "", false, false), FATE_LATER);
	cr_expect_eq(fate_of(429, "", false, false), FATE_LATER);
	cr_expect_eq(fate_of(503, "", false, false), FATE_LATER);
	cr_expect_eq(fate_of(500, "", false, false), FATE_FAILED);
	cr_expect_eq(fate_of(0, "", false, false), FATE_LATER);
}

Test(agent, back_off_doubles_up_to_a_minute_with_jitter)
{
	static const uint64_t ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

	for (uint32_t n = 1; n <= 8; n++) {
		cr_expect_eq(backoff_ns(n, 0), ms[n - 1] / 2 * 1000000);
		cr_expect_eq(backoff_ns(n, ms[n - 1] / 2), ms[n - 1] * 1000000);
		for (uint64_t chance = 0; chance < 100000; chance += 77)
			cr_assert(backoff_ns(n, chance) >= ms[n - 1] / 2 * 1000000 &&
				  backoff_ns(n, chance) <= ms[n - 1] * 1000000);
	}
	cr_expect_eq(backoff_ns(UINT32_MAX, 0), 30000000000);
}

Test(agent, a_breaker_opens_and_tries_one)
{
	struct breaker b = { 0 };

	cr_expect(breaker_lets(&b, 5, 3));
	breaker_tell(&b, FATE_LATER, 5, 0, 0);
	cr_expect_eq(b.until_ns, 5 + 500000000);
	/* the other two that were under way */
	breaker_tell(&b, FATE_LATER, 6, 0, 0);
	breaker_tell(&b, FATE_LATER, 7, 0, 0);
	cr_expect_eq(b.failures, 1);
	cr_expect_not(breaker_lets(&b, 400000000, 0));
	cr_expect(breaker_lets(&b, 600000000, 0));
	cr_expect_not(breaker_lets(&b, 600000000, 1));
	breaker_tell(&b, FATE_LATER, 600000000, 0, 0);
	cr_expect_eq(b.until_ns, 600000000 + SECOND);
	breaker_tell(&b, FATE_SENT, 3 * (uint64_t)SECOND, 0, 0);
	cr_expect(breaker_lets(&b, 3 * (uint64_t)SECOND, 3));
}

Test(agent, retry_after_is_honoured_within_bounds)
{
	struct breaker b = { 0 };

	breaker_tell(&b, FATE_LATER, 0, 30, 0);
	cr_expect_eq(b.until_ns, 30 * (uint64_t)SECOND);
	breaker_tell(&b, FATE_LATER, 1, 1000000000, 0);
	cr_expect_eq(b.until_ns, 600 * (uint64_t)SECOND + 1);
}

Test(agent, an_item_that_fails_does_not_stop_the_others_until_all_do)
{
	struct breaker b = { 0 };

	breaker_tell(&b, FATE_FAILED, 0, 0, 0);
	breaker_tell(&b, FATE_FAILED, 0, 0, 0);
	cr_expect(breaker_lets(&b, 1, 3));
	breaker_tell(&b, FATE_FAILED, 1, 0, 0);
	cr_expect_not(breaker_lets(&b, 1, 0));
	breaker_tell(&b, FATE_REFUSED, SECOND, 0, 0);
	cr_expect(breaker_lets(&b, SECOND, 3));
}

/* Labels. */

Test(agent, values_of_labels_are_bounded)
{
	struct bound *b = bound_new(2);
	const uint64_t hour = 3600 * (uint64_t)SECOND;

	cr_expect_str_eq(bound_value(b, "web", "user", "a", hour), "a");
	cr_expect_str_eq(bound_value(b, "web", "user", "b", hour), "b");
	cr_expect_str_eq(bound_value(b, "web", "user", "c", hour), BOUND_OTHER);
	cr_expect_str_eq(bound_value(b, "web", "user", "a", hour + 9), "a");
	cr_expect_str_eq(bound_value(b, "web", "job", "c", hour), "c");
	cr_expect_str_eq(bound_value(b, "api", "user", "c", hour), "c");
	cr_expect_eq(bound_others(b), 1);
	bound_tidy(b, 2 * hour + 5); /* b has not come for an hour */
	cr_expect_str_eq(bound_value(b, "web", "user", "c", 2 * hour), "c");
	cr_expect_str_eq(bound_value(b, "web", "user", "b", 2 * hour), BOUND_OTHER);
	cr_expect_str_eq(bound_value(b, "web", "user", "a", 2 * hour), "a");
	bound_free(b);
}

/* Events. */

static char lines[4096];

static void on_line(enum logger_level level, const char *line)
{
	cr_expect_eq(level, LOGGER_WARN);
	cr_expect(!strncmp(line, "time=20", 7));
	strcat(lines, strchr(line, ' ') + 1);
	strcat(lines, "\n");
}

Test(agent, events_are_logfmt_and_limited)
{
	struct logger *l = logger_new(on_line);

	for (int i = 0; i < 100; i++)
		logger_event(l, LOGGER_WARN, "sending fails", "receiver", "a", "status",
			     NULL, "error", "say \"no\"\n\\", "empty", "", NULL);
	logger_event(l, LOGGER_WARN, "sending fails", "receiver", "b", NULL);
	cr_expect_str_eq(lines, "level=warn msg=\"sending fails\" receiver=a "
				"error=\"say \\\"no\\\"\xef\xbf\xbd\\\\\" empty=\"\"\n"
				"level=warn msg=\"sending fails\" receiver=b\n");
	logger_free(l);
}

/* Options. */

Test(agent, receivers_are_checked)
{
	static const struct receiver_options good[] = {
		{ .to = "file:///x" },
		{ .to = "file:///x", .recordings = true, .max_files = 5 },
		{ .to = "pyroscope+http://h:4040/path", .token = "env:T", .tenant = "t" },
		{ .to = "pyroscope+https://[::1]", .user = "u", .password = "file:/x" },
	};
	static const struct receiver_options bad[] = {
		{ .to = "" },
		{ .to = "http://h" },
		{ .to = "file://x" },
		{ .to = "file:///x", .token = "env:T" },
		{ .to = "pyroscope+ftp://h" },
		{ .to = "pyroscope+http://" },
		{ .to = "pyroscope+http:///path" },
		{ .to = "pyroscope+http://u:p@h" },
		{ .to = "pyroscope+http://h/?a=b" },
		{ .to = "pyroscope+http://h/\r\nX: y" },
		{ .to = "pyroscope+http://h", .tenant = "a\nX: y" },
		{ .to = "pyroscope+http://h", .password = "env:P" },
		{ .to = "pyroscope+http://h", .user = "u", .token = "env:P" },
		{ .to = "pyroscope+http://h", .max_files = 5 },
	};
	char *url = http_url(&pyroscope_kind, "pyroscope+http://h/a/b//");

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		cr_expect_null(receiver_check(&good[i]), "%s", good[i].to);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect(receiver_check(&bad[i]), "%s", bad[i].to);
	cr_expect_str_eq(url, "http://h/a/b/push.v1.PusherService/Push");
	free(url);
}

Test(agent, secrets_come_from_files_and_the_environment)
{
	char path[] = "/tmp/unit-agent-XXXXXX", from[64];
	int fd = mkstemp(path);
	struct buf b = { 0 };

	cr_expect_null(secret_check("env:X"));
	cr_expect(secret_check("hunter2"));
	cr_expect(secret_check("env:"));
	setenv("AGENT_TEST", " s3 cret\n", 1);
	cr_expect_null(secret_read("env:AGENT_TEST", &b));
	cr_expect_str_eq(buf_text(&b), " s3 cret");
	b.len = 0;
	cr_assert_eq(write(fd, "tok\r\n\n", 6), 6);
	snprintf(from, sizeof(from), "file:%s", path);
	cr_expect_null(secret_read(from, &b));
	cr_expect_str_eq(buf_text(&b), "tok");
	b.len = 0;
	cr_assert_eq(pwrite(fd, "a\nb", 3, 0), 3);
	cr_expect(secret_read(from, &b));
	b.len = 0;
	cr_expect(secret_read("file:/no/such", &b));
	cr_expect(secret_read("env:AGENT_NONE", &b));
	close(fd);
	unlink(path);
	buf_release(&b);
}
