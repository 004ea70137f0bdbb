/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends items by HTTP, some at a time, over connections that stay open. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "profiler/agent/receiver.h"
#include "profiler/agent/secret.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/curl.h"

enum {
	SLOTS = 4, /* requests at a time: one takes half a second, and there are many */
	REQUEST_SECONDS = 30,
	NAME_SECONDS = 5,      /* an address counts for; connections that are open stay */
	ANSWER_MAX = 64 << 10, /* bytes that are read */
	ANSWER_KEPT = 200,     /* of them for messages */
};

struct request {
	struct http *http;
	CURL *easy; /* NULL: the slot is free */
	struct entry *entry;
	struct curl_slist *headers;
	struct buf body;
	char answer[ANSWER_KEPT + 1];
	size_t answered;  /* bytes of the answer */
	bool cut;         /* we have read enough of it */
	long grpc_status; /* -1: there was none */
	char error[CURL_ERROR_SIZE];
};

struct http {
	struct receiver *receiver;
	const struct curl_lib *curl;
	CURLM *multi;
	char *url;
	struct breaker breaker;
	struct request requests[SLOTS];
	uint32_t under_way;
};

bool http_load(const char **why)
{
	return curl_load(why);
}

char *http_url(const struct receiver_kind *k, const char *to)
{
	size_t n;
	char *ret;

	to += strlen(k->scheme);
	n = strlen(to);
	while (n && to[n - 1] == '/')
		n--;
	if (asprintf(&ret, "%.*s%s", (int)n, to, k->path) < 0)
		abort();
	return ret;
}

static size_t on_answer(char *bytes, size_t size, size_t n, void *arg)
{
	struct request *q = arg;

	n *= size;
	for (size_t i = 0; i < n && q->answered + i < ANSWER_KEPT; i++)
		q->answer[q->answered + i] = bytes[i];
	q->answered += n;
	q->cut = q->answered > ANSWER_MAX;
	return q->cut ? 0 : n;
}

/* gRPC says how it went in headers, or behind the body. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	static const char name[] = "grpc-status:", message[] = "grpc-message:";
	struct request *q = arg;
	struct buf b = { 0 };
	const char *text;

	buf_add(&b, line, size * n);
	text = buf_text(&b);
	if (!strncasecmp(text, name, strlen(name)))
		q->grpc_status = strtol(text + strlen(name), NULL, 10);
	if (!strncasecmp(text, message, strlen(message)))
		snprintf(q->answer, sizeof(q->answer), "%.*s",
			 (int)strcspn(text + strlen(message), "\r\n"),
			 text + strlen(message));
	buf_release(&b);
	return size * n;
}

/* The status of HTTP that means what the one of gRPC does. */
static long status_of_grpc(long status)
{
	static const short statuses[] = { 200, 500, 500, 400, 504, 404, 409, 403, 429,
					  400, 409, 400, 404, 500, 503, 500, 401 };

	return status >= 0 && status <= 16 ? statuses[status] : 500;
}

static void add_header(struct request *q, const char *name, const char *value)
{
	const struct curl_lib *curl = q->http->curl;
	struct buf b = { 0 };

	buf_printf(&b, "%s%s", name, value);
	q->headers = curl->curl_slist_append(q->headers, buf_text(&b));
	explicit_bzero(b.data, b.len);
	buf_release(&b);
}

/* Who we are. NULL, or what is wrong. */
static const char *add_credentials(struct request *q)
{
	const struct receiver_options *o = &q->http->receiver->o;
	const struct curl_lib *curl = q->http->curl;
	const char *from = o->token ? o->token : o->password, *why = NULL;
	struct buf secret = { 0 };

	if (from)
		why = secret_read(from, &secret);
	if (!why && o->token)
		add_header(q, "Authorization: Bearer ", buf_text(&secret));
	if (!why && o->user) {
		curl->curl_easy_setopt(q->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl->curl_easy_setopt(q->easy, CURLOPT_USERNAME, o->user);
		curl->curl_easy_setopt(q->easy, CURLOPT_PASSWORD, buf_text(&secret));
	}
	if (o->tenant)
		add_header(q, "X-Scope-OrgID: ", o->tenant);
	if (secret.len)
		explicit_bzero(secret.data, secret.len);
	buf_release(&secret);
	return why;
}

static void add_headers(struct request *q)
{
	const struct receiver_kind *k = q->http->receiver->kind;

	add_header(q, "Content-Type: ", k->content_type);
	for (const char *const *h = k->headers; *h; h++)
		add_header(q, *h, "");
	add_header(q, "Expect:", ""); /* a server that is there takes it at once */
	q->http->curl->curl_easy_setopt(q->easy, CURLOPT_HTTPHEADER, q->headers);
}

static void request_end(struct request *q)
{
	const struct curl_lib *curl = q->http->curl;

	if (q->easy) {
		curl->curl_multi_remove_handle(q->http->multi, q->easy);
		curl->curl_easy_cleanup(q->easy);
	}
	curl->curl_slist_free_all(q->headers);
	buf_release(&q->body);
	*q = (struct request){ .http = q->http };
}

static void speak_grpc(struct request *q)
{
	const struct curl_lib *curl = q->http->curl;
	bool plain = !strncmp(q->http->url, "http:", 5);

	curl->curl_easy_setopt(q->easy, CURLOPT_HTTP_VERSION,
			       plain ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
				     : CURL_HTTP_VERSION_2TLS);
	/* libcurl 7.88 cannot use such a connection twice */
	curl->curl_easy_setopt(q->easy, CURLOPT_FORBID_REUSE, (long)plain);
	curl->curl_easy_setopt(q->easy, CURLOPT_FRESH_CONNECT, (long)plain);
	curl->curl_easy_setopt(q->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl->curl_easy_setopt(q->easy, CURLOPT_HEADERDATA, q);
}

/* NULL, or what is wrong. */
static const char *request_begin(struct request *q, struct entry *e)
{
	struct http *h = q->http;
	const struct curl_lib *curl = h->curl;
	const char *why;

	q->entry = e;
	q->grpc_status = -1;
	q->easy = curl_begin(curl, h->url, q->error, &why);
	if (!q->easy)
		return why;
	h->receiver->kind->body(e->item, &q->body);
	curl->curl_easy_setopt(q->easy, CURLOPT_POST, 1L);
	curl->curl_easy_setopt(q->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			       (curl_off_t)q->body.len);
	curl->curl_easy_setopt(q->easy, CURLOPT_POSTFIELDS, q->body.data);
	curl->curl_easy_setopt(q->easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl->curl_easy_setopt(q->easy, CURLOPT_WRITEDATA, q);
	curl->curl_easy_setopt(q->easy, CURLOPT_PRIVATE, q);
	curl->curl_easy_setopt(q->easy, CURLOPT_TIMEOUT, (long)REQUEST_SECONDS);
	curl->curl_easy_setopt(q->easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)NAME_SECONDS);
	curl->curl_easy_setopt(q->easy, CURLOPT_PIPEWAIT, 1L);
	if (h->receiver->kind->grpc)
		speak_grpc(q);
	if (h->receiver->o.ca_file)
		curl->curl_easy_setopt(q->easy, CURLOPT_CAINFO, h->receiver->o.ca_file);
	why = add_credentials(q);
	add_headers(q);
	if (!why)
		curl->curl_multi_add_handle(h->multi, q->easy);
	return why;
}

/* What a server says is its own only if it is of the right type: a proxy, or another
 * server, answers 200 with a page to anything. */
static bool is_good(struct request *q)
{
	const char *want = q->http->receiver->kind->content_type, *type = NULL;
	size_t n = strlen(want);
	bool (*taken)(const void *answer, size_t len) = q->http->receiver->kind->taken;

	if (taken && q->answered <= ANSWER_KEPT && !taken(q->answer, q->answered))
		return false;
	q->http->curl->curl_easy_getinfo(q->easy, CURLINFO_CONTENT_TYPE, &type);
	return type && !strncasecmp(type, want, n) && (!type[n] || strchr("; +", type[n]));
}

static void finish(struct request *q, CURLcode result)
{
	struct http *h = q->http;
	const struct curl_lib *curl = h->curl;
	const char *text = q->answer;
	curl_off_t retry_after = 0;
	enum fate fate;
	long status = 0;

	curl->curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &status);
	curl->curl_easy_getinfo(q->easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (result && !q->cut)
		status = 0;
	if (h->receiver->kind->grpc && status == 200)
		status = status_of_grpc(q->grpc_status);
	fate = fate_of(status, q->answer, is_good(q), q->cut);
	if (!status)
		text = *q->error ? q->error : curl->curl_easy_strerror(result);
	else if (fate == FATE_FAILED && status < 300)
		text = q->cut ? "the answer is too large"
			      : "the answer is not of this protocol";
	if (fate == FATE_SENT)
		h->receiver->counts.sent_bytes += q->body.len;
	receiver_settle(h->receiver, &h->breaker, q->entry, fate, status,
			*text ? text : NULL, retry_after > 0 ? (uint64_t)retry_after : 0);
	h->under_way--;
	request_end(q);
}

/* Begins what may be sent now. Returns for how long there is nothing more to begin. */
static int begin_all(struct http *h)
{
	int wait_ms = 1000;

	for (int i = 0; i < SLOTS; i++) {
		struct request *q = &h->requests[i];
		const char *why;
		struct entry *e;

		if (q->easy)
			continue;
		e = receiver_take(h->receiver, &h->breaker, h->under_way, &wait_ms);
		if (!e)
			return wait_ms;
		why = request_begin(q, e);
		if (!why) {
			h->under_way++;
			continue;
		}
		receiver_settle(h->receiver, &h->breaker, e, FATE_LATER, 0, why, 0);
		request_end(q);
	}
	return wait_ms;
}

static void wake(void *arg)
{
	struct http *h = arg;

	h->curl->curl_multi_wakeup(h->multi);
}

void http_run(struct receiver *r)
{
	const char *why;
	struct http h = { .receiver = r, .curl = curl_load(&why) };
	CURLMsg *m;
	bool past;
	int n;

	h.url = http_url(r->kind, r->o.to);
	h.multi = h.curl->curl_multi_init();
	for (int i = 0; i < SLOTS; i++)
		h.requests[i].http = &h;
	receiver_waker(r, wake, &h);
	while (!receiver_done(r, &past)) {
		int wait_ms = begin_all(&h), running;

		h.curl->curl_multi_perform(h.multi, &running);
		while ((m = h.curl->curl_multi_info_read(h.multi, &n))) {
			struct request *q;

			h.curl->curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &q);
			finish(q, m->data.result);
			wait_ms = 0;
		}
		h.curl->curl_multi_poll(h.multi, NULL, 0, wait_ms, NULL);
	}
	receiver_give_up(r);
	for (int i = 0; i < SLOTS; i++)
		request_end(&h.requests[i]);
	h.curl->curl_multi_cleanup(h.multi);
	free(h.url);
}
