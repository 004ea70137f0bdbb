/* SPDX-License-Identifier: BSD-2-Clause */
/* symbolize: prints the functions at addresses of a file or a process. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/json.h"
#include "output/text.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/base/strtab.h"
#include "profiler/cmd/cmd.h"
#include "symbolizer/elf.h"
#include "symbolizer/goname.h"
#include "symbolizer/object.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

enum {
	CHUNK = 1 << 16, /* bytes of stdin read at once, and of answers buffered */
	/* up to Go 1.20 the outermost frame is shown even if it is a wrapper */
	KEEPS_OUTERMOST = 20,
};

/* A function of --list: frame.func is the symbol, frame.line its first line. */
struct row {
	struct frame frame;
	uint64_t size;
};

static const char blanks[] = " \t\r";

struct query {
	bool json, list, probes;
	const char *path; /* of the file */
	const char *pid;
	struct strtab *strs;
	struct symbolizer *symbolizer;
	struct space *space;
	struct buf line, name; /* scratch */
	struct row *rows;
	uint32_t n_rows, cap_rows;
};

/* hexadecimal, with or without 0x */
static bool address_parse(const char *s, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(s, &end, 16);
	return isxdigit((unsigned char)*s) && !errno && !end[strspn(end, blanks)];
}

static void line_end(struct query *q)
{
	buf_u8(&q->line, '\n');
	buf_write(&q->line, stdout);
}

/* Does the runtime hide this wrapper when it expands the last address of a stack? */
static bool is_elided(const struct frame *f, int i, int n, uint32_t minor)
{
	bool panics = i &&
		      (f[i - 1].kind == FRAME_PANIC || f[i - 1].kind == FRAME_SIGPANIC);

	return f[i].kind == FRAME_WRAPPER && n > 1 && !panics &&
	       !(minor <= KEEPS_OUTERMOST && i == n - 1);
}

static bool is_go(const struct frame *f)
{
	return f->kind == FRAME_GO || f->kind > FRAME_CUT;
}

static const char *frame_file(const struct query *q, const struct frame *f)
{
	if (f->file)
		return strtab_get(q->strs, f->file);
	return is_go(f) ? "?" : "??"; /* as Go itself prints it, and as addr2line does */
}

static void add_frame(struct query *q, const struct frame *f, const char *name,
		      char between)
{
	struct buf *b = &q->line;

	plain_add(b, name);
	buf_u8(b, (uint8_t)between);
	plain_add(b, frame_file(q, f));
	buf_u8(b, ':');
	buf_decimal(b, f->line);
	if (f->inlined)
		buf_str(b, " (inlined)");
}

static void put_json(struct query *q, struct json *j, const struct frame *f,
		     const char *name)
{
	json_str(j, "func", name);
	json_str(j, "file", f->file || is_go(f) ? frame_file(q, f) : "");
	json_uint(j, "line", f->line);
}

static void json_address(struct json *j, uint64_t addr)
{
	json_open(j, NULL, '{');
	json_hex(j, "addr", addr, true);
}

static void answer(struct query *q, uint64_t addr)
{
	struct json j = { .out = stdout };
	struct frame f[FRAMES_AT_PC];
	int n = symbolizer_user(q->symbolizer, q->space, addr, f, FRAMES_AT_PC, NULL);
	uint32_t minor = symbolizer_module(q->symbolizer, f->module)->go_minor;

	if (!f->func)
		n = 0;
	if (q->json) {
		json_address(&j, addr);
		json_open(&j, "frames", '[');
	} else if (!n) {
		buf_str(&q->line, "?? ??:0");
		line_end(q);
	}
	for (int i = 0; i < n; i++) {
		if (is_elided(f, i, n, minor))
			continue;
		q->name.len = 0;
		goname_add(&q->name, strtab_get(q->strs, f[i].func),
			   is_go(&f[i]) ? (int)minor : 0);
		if (!q->json) {
			add_frame(q, &f[i], buf_text(&q->name), ' ');
			line_end(q);
			continue;
		}
		json_open(&j, NULL, '{');
		put_json(q, &j, &f[i], buf_text(&q->name));
		json_uint(&j, "start_line", f[i].start_line);
		json_bool(&j, "inlined", f[i].inlined);
		json_close(&j, '}');
	}
	if (q->json) {
		json_close(&j, ']');
		json_close(&j, '}');
	}
	line_end(q);
}

static int answer_line(struct query *q, const char *s)
{
	uint64_t addr;

	s += strspn(s, blanks);
	if (address_parse(s, &addr)) {
		answer(q, addr);
	} else if (*s) {
		q->name.len = 0;
		text_fit(&q->name, s, 40);
		log_error("stdin: '%s' is not a hexadecimal address", buf_text(&q->name));
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* Flushes before each wait, so whoever writes one line and waits gets the answer. */
static int answer_stdin(struct query *q)
{
	char in[CHUNK + 1];
	size_t len = 0;
	ssize_t n = 1;
	int status = STATUS_OK;

	while (n > 0) {
		char *line = in, *end;

		if (fflush(stdout)) {
			log_error("stdout: %s", strerror(errno));
			return STATUS_FAILED;
		}
		do
			n = read(STDIN_FILENO, in + len, CHUNK - len);
		while (n < 0 && errno == EINTR);
		if (n < 0) {
			log_error("stdin: %s", strerror(errno));
			return STATUS_FAILED;
		}
		len += (size_t)n;
		if (!n && len) /* the last line may have no newline */
			in[len++] = '\n';
		for (; (end = memchr(line, '\n', (size_t)(in + len - line)));
		     line = end + 1) {
			*end = 0;
			status |= answer_line(q, line);
		}
		len -= (size_t)(line - in);
		memmove(in, line, len);
		if (len == CHUNK) {
			log_error("stdin: a line is longer than 64 KiB");
			return STATUS_FAILED;
		}
	}
	return status;
}

static int add_row(void *arg, const struct func *f)
{
	struct query *q = arg;

	*table_add(q->rows, q->n_rows, q->cap_rows) = (struct row){
		.frame = { .addr = f->addr,
			   .func = strtab_add(q->strs, f->name),
			   .file = f->file ? strtab_add(q->strs, f->file) : 0,
			   .line = f->line },
		.size = f->size,
	};
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct frame *x = &((const struct row *)a)->frame,
			   *y = &((const struct row *)b)->frame;

	return ascending(x->addr, y->addr) ?: ascending(x->func, y->func);
}

/* Where to probe a function: at an offset in the file, whatever its address is. Valid until
 * the next call. "": it is not in the file. */
static const char *probe(struct query *q, uint64_t addr)
{
	const struct object *exe = space_exe(q->space);
	uint64_t offset;

	q->name.len = 0;
	if (exe && exe->elf && elf_code_offset(exe->elf, addr, &offset))
		buf_printf(&q->name, "%s:0x%" PRIx64, q->path, offset);
	return buf_text(&q->name);
}

static void list(struct query *q)
{
	space_functions(q->space, add_row, q);
	table_sort(q->rows, q->n_rows, compare_rows);
	for (const struct row *r = q->rows; r < q->rows + q->n_rows; r++) {
		const char *name = strtab_get(q->strs, r->frame.func);
		struct json j = { .out = stdout };

		if (q->json) {
			json_address(&j, r->frame.addr);
			json_uint(&j, "size", r->size);
			put_json(q, &j, &r->frame, name);
			if (q->probes)
				json_str(&j, "uprobe", probe(q, r->frame.addr));
			json_close(&j, '}');
			line_end(q);
		} else {
			buf_printf(&q->line, "%016" PRIx64 " %016" PRIx64 " ",
				   r->frame.addr, r->size);
			add_frame(q, &r->frame, name, '\t');
			if (q->probes) {
				buf_u8(&q->line, '\t');
				plain_add(&q->line, probe(q, r->frame.addr));
			}
			line_end(q);
		}
	}
}

static int open_pid(struct query *q)
{
	struct go_program program;
	uint64_t pid;

	if (number_parse(q->pid, 1, INT_MAX, &pid))
		return usage_error("symbolize", "-p takes a pid, not '%s'", q->pid);
	if (open_process(&q->space, q->symbolizer, (pid_t)pid))
		return STATUS_FAILED;
	space_program(q->space, &program);
	if (program.version || !program.why)
		return STATUS_OK;
	log_error("process %s: %s", q->pid, program.why);
	return STATUS_FAILED;
}

static int stop(void *arg, const struct func *f)
{
	(void)arg, (void)f;
	return 1;
}

static int open_file(struct query *q, const char *path)
{
	struct go_program program = { 0 };

	q->path = path;
	if (open_binary(&q->space, q->symbolizer, path))
		return STATUS_FAILED;
	space_program(q->space, &program);
	if (!space_functions(q->space, stop, NULL)) {
		log_error("%s: %s", path,
			  program.why ? program.why
				      : "not a Go program, and it has no symbols");
		return STATUS_FAILED;
	}
	if (program.why)
		log_warn("%s: %s", path, program.why);
	return STATUS_OK;
}

static int run(struct query *q, int argc, char **argv)
{
	uint64_t addr;
	int status;

	if (!q->pid && !argc)
		return usage_error("symbolize", "missing BINARY or -p PID");
	if (q->list && (q->pid || argc > 1))
		return usage_error("symbolize", "--list takes one BINARY and no addresses");
	if (q->probes && !q->list)
		return usage_error("symbolize", "--uprobe belongs to --list");
	for (int i = !q->pid; i < argc; i++)
		if (!address_parse(argv[i], &addr))
			return usage_error("symbolize", "'%s' is not a hexadecimal address",
					   argv[i]);
	status = q->pid ? open_pid(q) : open_file(q, *argv++);
	argc -= !q->pid;
	if (status)
		return status;
	setvbuf(stdout, NULL, _IOFBF, CHUNK);
	if (q->list)
		list(q);
	else if (!argc)
		status = answer_stdin(q);
	for (; argc--; argv++)
		if (address_parse(*argv, &addr))
			answer(q, addr);
	return status;
}

int cmd_symbolize(int argc, char **argv)
{
	struct query q = { 0 };
	const struct opt opts[] = {
		{ 'p', "pid", "PID", "look up addresses of this process", .str = &q.pid },
		{ 0, "list", NULL, "list every function: address, size, name, file:line",
		  .flag = &q.list },
		{ 0, "uprobe", NULL,
		  "with --list: also where to probe it, as BINARY:0xOFFSET",
		  .flag = &q.probes },
		{ 0, "json", NULL, "one JSON object per line", .flag = &q.json },
		COMMON_OPTIONS,
	};
	const char *changed;
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("symbolize", opts);
	if (opt_parse(opts, &argc, &argv, true))
		return status;
	q.strs = strtab_new();
	q.symbolizer = symbolizer_new(q.strs);
	status = run(&q, argc, argv);
	if (symbolizer_changed(q.symbolizer, &changed))
		log_warn("%s was changed while being read: functions may lack names",
			 changed);
	space_close(q.space);
	symbolizer_close(q.symbolizer);
	strtab_free(q.strs);
	buf_release(&q.line);
	buf_release(&q.name);
	free(q.rows);
	return status;
}
