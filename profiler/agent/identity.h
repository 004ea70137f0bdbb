/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a process is to a fleet: its service, its container; and whether it is among those
 * that the user chose. All of it comes from /proc: the environment and the control group.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Patterns of fnmatch(3); a process is chosen if one of them matches, or if there are
 * none. */
struct choice {
	const char **names;   /* of programs: the base name of the executable */
	const char **cgroups; /* paths of control groups, with all below them */
	const char **units;   /* of systemd; without a suffix .service is meant */
	uint32_t n_names, cap_names, n_cgroups, cap_cgroups, n_units, cap_units;
};

void choice_release(struct choice *c);
bool choice_equal(const struct choice *a, const struct choice *b);

/* What the control groups of a process say; all owned by the buffers, "" if unknown. */
struct cgroups {
	struct buf *path; /* that of systemd, or of version 2 */
	struct buf *unit; /* "nginx.service" */
	struct buf
		*container; /* its id, 64 hexadecimal digits, or a name given by people */
	bool container_is_id;
};

/* Parses /proc/PID/cgroup into the three buffers, which are empty. Text is any bytes; the
 * buffer gets a NUL. */
void cgroups_parse(struct buf *text, struct cgroups *to);

/*
 * Adds what /proc/PID/environ says as a set of labels.h: the attributes of
 * OTEL_RESOURCE_ATTRIBUTES, of which one that is not as specified is ignored as a whole,
 * and service.name of OTEL_SERVICE_NAME, which goes first. Further attributes, in order of
 * precedence, are those of `defaults`: pairs key, value, ended by NULL; an empty value is
 * none.
 */
void identity_encode(struct buf *env, const char *const *defaults, struct buf *to);

/* Adds the attributes of a process: service.name always, container.id if there is one, and
 * what its environment says. False: it is not chosen. Only its executable's path is known
 * of one that has ended. */
bool identity_read(const struct choice *c, uint32_t tgid, const char *path, struct buf *to);
