/* SPDX-License-Identifier: BSD-2-Clause */
/* libmicrohttpd's functions. The library is loaded when it is first asked for: it brings
 * ten others with it. */
#pragma once

#include <microhttpd.h>

#define MICROHTTPD_FUNCTIONS(X) \
	X(MHD_start_daemon) \
	X(MHD_stop_daemon) \
	X(MHD_run) \
	X(MHD_get_timeout) \
	X(MHD_get_daemon_info) \
	X(MHD_get_connection_info) \
	X(MHD_create_response_from_buffer) \
	X(MHD_add_response_header) \
	X(MHD_queue_response) \
	X(MHD_destroy_response)

struct microhttpd_lib {
#define MICROHTTPD_MEMBER(name) __typeof__(name) *name;
	MICROHTTPD_FUNCTIONS(MICROHTTPD_MEMBER)
#undef MICROHTTPD_MEMBER
};

/* NULL: *why, a static string, says what is wrong. The first call must not race with
 * others. */
const struct microhttpd_lib *microhttpd_load(const char **why);
