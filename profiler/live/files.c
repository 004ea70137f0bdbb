/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/files.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/living.h"
#include "syscalls.h"

enum {
	TABLE_MAX = 64 << 20, /* bytes of a table in /proc/PID/net */
	TCP_LISTEN = 10,
};

struct end {
	uint8_t bytes[16];
	uint16_t port;
	bool v6;
};

struct socket {
	uint64_t inode;
	const char *protocol; /* static: "tcp" */
	struct end local, remote;
	const char *path; /* of a unix socket; NULL */
	bool listens;
};

struct files {
	pid_t pid;
	bool listed;
	struct socket *sockets; /* owned, by inode */
	uint32_t n, cap;
	bool served[1 << 16]; /* ports on which anything listens in its network */
	struct arena paths;
};

struct files *files_open(pid_t pid)
{
	struct files *f = mem_zalloc(sizeof(*f));

	f->pid = pid;
	return f;
}

void files_close(struct files *f)
{
	if (!f)
		return;
	free(f->sockets);
	arena_release(&f->paths);
	free(f);
}

/* "0100007F:1F90": words of the address in the byte order of the machine. */
static bool end_parse(struct end *e, const char *text)
{
	size_t digits = strspn(text, "0123456789ABCDEFabcdef");
	unsigned port, word;

	*e = (struct end){ .v6 = digits == 32 };
	if ((digits != 8 && digits != 32) || sscanf(text + digits, ":%4x", &port) != 1)
		return false;
	for (size_t i = 0; i < digits; i += 8) {
		if (sscanf(text + i, "%8x", &word) != 1)
			return false;
		memcpy(e->bytes + i / 2, &word, 4);
	}
	e->port = (uint16_t)port;
	return true;
}

/* A line of tcp, udp or raw:
 * "0: LOCAL REMOTE STATE TX:RX TR:WHEN RETR UID TIMEOUT INODE" */
static void inet_line(struct files *f, const char *protocol, const char *line)
{
	char local[48], remote[48];
	struct socket s = { .protocol = protocol };
	unsigned state;

	if (sscanf(line, " %*[^:]: %47s %47s %x %*s %*s %*s %*s %*s %" SCNu64, local,
		   remote, &state, &s.inode) != 4 ||
	    !end_parse(&s.local, local) || !end_parse(&s.remote, remote))
		return;
	s.listens = state == TCP_LISTEN;
	f->served[s.local.port] |= s.listens;
	*table_add(f->sockets, f->n, f->cap) = s;
}

/* "ADDRESS: COUNT PROTOCOL FLAGS TYPE STATE INODE [PATH]" */
static void unix_line(struct files *f, const char *protocol, const char *line)
{
	struct socket s = { .protocol = protocol };
	int at = 0;

	if (sscanf(line, "%*s %*s %*s %*s %*s %*s %" SCNu64 " %n", &s.inode, &at) != 1 ||
	    !at)
		return;
	s.path = arena_strndup(&f->paths, line + at, strlen(line + at));
	*table_add(f->sockets, f->n, f->cap) = s;
}

static int by_inode(const void *a, const void *b)
{
	const struct socket *x = a, *y = b;

	return ascending(x->inode, y->inode);
}

static void sockets_list(struct files *f)
{
	static const struct {
		const char *table, *protocol;
		void (*line)(struct files *f, const char *protocol, const char *line);
	} rows[] = {
		{ "tcp", "tcp", inet_line },   { "tcp6", "tcp", inet_line },
		{ "udp", "udp", inet_line },   { "udp6", "udp", inet_line },
		{ "raw", "raw", inet_line },   { "raw6", "raw", inet_line },
		{ "unix", "unix", unix_line },
	};
	char path[64], *line, *rest;
	struct buf b = { 0 };

	f->listed = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(path, sizeof(path), "/proc/%d/net/%s", living_thread(f->pid),
			 rows[i].table);
		b.len = 0;
		if (file_read(AT_FDCWD, path, TABLE_MAX, &b))
			continue;
		line = strtok_r(buf_text(&b), "\n", &rest); /* the head */
		while (line && (line = strtok_r(NULL, "\n", &rest)))
			rows[i].line(f, rows[i].protocol, line);
	}
	buf_release(&b);
	table_sort(f->sockets, f->n, by_inode);
}

static void end_add(const struct end *e, struct buf *to)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	bool v4 = !e->v6 || !memcmp(e->bytes, mapped, sizeof(mapped));
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(v4 ? AF_INET : AF_INET6, e->bytes + (v4 && e->v6 ? 12 : 0), text,
		  sizeof(text));
	buf_printf(to, v4 ? "%s:%u" : "[%s]:%u", text, e->port);
}

static void socket_add(const struct files *f, const struct socket *s, struct buf *to)
{
	buf_str(to, s->protocol);
	if (s->path) {
		buf_printf(to, "%s%s", *s->path ? " " : "", s->path);
		return;
	}
	buf_str(to, s->listens ? " listen " : " ");
	end_add(&s->local, to);
	if (s->listens || !s->remote.port)
		return;
	buf_str(to, f->served[s->local.port] ? " <- " : " -> ");
	end_add(&s->remote, to);
}

void files_name(struct files *f, uint32_t fd, struct buf *to)
{
	char path[64], text[4096];
	uint64_t inode;
	uint32_t row;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%u", living_thread(f->pid), fd);
	n = readlink(path, text, sizeof(text) - 1);
	if (n <= 0)
		return;
	text[n] = 0;
	if (sscanf(text, "socket:[%" SCNu64 "]", &inode) == 1) {
		if (!f->listed)
			sockets_list(f);
		row = table_until(f->n, i, f->sockets[i].inode < inode);
		if (row < f->n && f->sockets[row].inode == inode) {
			socket_add(f, &f->sockets[row], to);
			return;
		}
	}
	buf_str(to, text);
}

/* The last of the ids of a thread, which is its own; *several: it has others. */
static uint32_t own_id(pid_t pid, const char *tid, bool *several)
{
	char path[300], line[64], *last;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid, tid);
	file_line(line, "\nNSpid:", path);
	last = strrchr(line, '\t');
	*several = last;
	return (uint32_t)strtoul(last ? last : line, NULL, 10);
}

uint32_t files_thread(struct files *f, uint32_t own_tid)
{
	char path[64], one[16];
	uint32_t found = 0;
	struct dirent *d;
	bool several;
	DIR *tasks;

	snprintf(one, sizeof(one), "%u", own_tid);
	if (!own_tid || (own_id(f->pid, one, &several) == own_tid && !several))
		return own_tid;
	snprintf(path, sizeof(path), "/proc/%d/task", f->pid);
	tasks = opendir(path);
	while (tasks && !found && (d = readdir(tasks)))
		if (*d->d_name != '.' && own_id(f->pid, d->d_name, &several) == own_tid)
			found = (uint32_t)strtoul(d->d_name, NULL, 10);
	if (tasks)
		closedir(tasks);
	return found;
}

/* System calls. */

/* Which argument is a descriptor, or the address of a path. */
static const struct about {
	const char *name;
	int8_t fd, path; /* -1: none */
} abouts[] = {
	{ "read", 0, -1 },        { "write", 0, -1 },      { "pread64", 0, -1 },
	{ "pwrite64", 0, -1 },    { "readv", 0, -1 },      { "writev", 0, -1 },
	{ "fsync", 0, -1 },       { "fdatasync", 0, -1 },  { "ftruncate", 0, -1 },
	{ "fallocate", 0, -1 },   { "flock", 0, -1 },      { "fcntl", 0, -1 },
	{ "ioctl", 0, -1 },       { "getdents64", 0, -1 }, { "close", 0, -1 },
	{ "fstat", 0, -1 },       { "accept", 0, -1 },     { "accept4", 0, -1 },
	{ "connect", 0, -1 },     { "recvfrom", 0, -1 },   { "recvmsg", 0, -1 },
	{ "sendto", 0, -1 },      { "sendmsg", 0, -1 },    { "epoll_wait", 0, -1 },
	{ "epoll_pwait", 0, -1 }, { "sendfile", 0, -1 },   { "sync_file_range", 0, -1 },
	{ "open", -1, 0 },        { "openat", -1, 1 },     { "unlinkat", -1, 1 },
	{ "newfstatat", -1, 1 },  { "mkdirat", -1, 1 },    { "renameat", -1, 1 },
	{ "renameat2", -1, 1 },   { "stat", -1, 0 },       { "execve", -1, 0 },
};

bool thread_call_read(struct thread_call *ret, pid_t pid, uint32_t tid)
{
	char path[64], line[64];
	uint64_t number, args[2];

	*ret = (struct thread_call){ .name = NULL };
	snprintf(path, sizeof(path), "/proc/%d/task/%u/syscall", pid, tid);
	file_line(line, "", path);
	if (!*line)
		return false;
	if (sscanf(line, "%" SCNu64 " %" SCNx64 " %" SCNx64, &number, &args[0], &args[1]) !=
	    3)
		return true; /* "running", or "-1 SP PC": blocked outside of calls */
	snprintf(ret->number, sizeof(ret->number), "%" PRIu64, number);
	ret->name = number < sizeof(syscall_names) / sizeof(*syscall_names) &&
				    syscall_names[number]
			    ? syscall_names[number]
			    : ret->number;
	for (size_t i = 0; i < sizeof(abouts) / sizeof(*abouts); i++) {
		if (strcmp(abouts[i].name, ret->name))
			continue;
		ret->has_fd = abouts[i].fd >= 0;
		ret->fd = ret->has_fd ? (uint32_t)args[abouts[i].fd] : 0;
		ret->path = abouts[i].path >= 0 ? args[abouts[i].path] : 0;
	}
	return true;
}
