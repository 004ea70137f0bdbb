/* SPDX-License-Identifier: BSD-2-Clause */
/* inspect: shows where g is in a program or a process, and how gostrobe knows. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "output/json.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/base/strtab.h"
#include "profiler/cmd/cmd.h"
#include "profiler/goruntime/inspection.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

static void json_thread(const struct inspection *in, struct json *j,
			const struct inspected_thread *t)
{
	json_open(j, NULL, '{');
	json_uint(j, "tid", t->kernel.tid);
	json_hex(j, "fs_base", t->kernel.tp, true);
	json_hex(j, "fs_base_user", t->user.tp, !t->why);
	if (t->why)
		json_str(j, "fs_base_user_why", t->why);
	json_hex(j, "g_slot", t->slot, t->slot);
	json_hex(j, "g", t->g, t->slot);
	json_hex(j, "m", t->m, in->layout.layout.ok);
	json_hex(j, "curg", t->curg, t->curg);
	json_uint_or_null(j, "goid", t->goid);
	json_str(j, "status", t->status);
	json_str(j, "class", event_class_names[t->class]);
	json_str(j, "start", strtab_get(in->strs, t->start));
	json_str(j, "func", strtab_get(in->strs, t->at));
	json_close(j, '}');
}

static void json_layout(struct json *j, const struct golayout *l)
{
	json_open(j, "g_slot", '{');
	json_num(j, "offset", l->layout.tls_g ? (double)l->layout.tls_g : NAN);
	json_str(j, "how", l->slot_how ? l->slot_how : "");
	json_close(j, '}');
	json_open(j, "fields", '{');
	for (int f = 0; f < FIELDS; f++) {
		if (!l->fields[f].how || l->fields[f].offset < 0)
			continue;
		json_open(j, layout_fields[f].name, '{');
		json_num(j, "offset", l->fields[f].offset);
		json_str(j, "how", l->fields[f].how);
		json_close(j, '}');
	}
	json_close(j, '}');
	json_open(j, "checks", '[');
	for (int c = 0; c < CHECKS; c++) {
		json_open(j, NULL, '{');
		json_str(j, "name", layout_checks[c].name);
		if (l->checks[c].ran)
			json_bool(j, "ok", l->checks[c].ok);
		else
			json_null(j, "ok");
		json_close(j, '}');
	}
	json_close(j, ']');
	if (l->why)
		json_str(j, "why", l->why);
}

static void print_json(const struct inspection *in)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_num(&j, "pid", in->pid ? in->pid : NAN);
	json_str(&j, "path", in->object->path);
	json_str(&j, "go_version", in->object->version);
	json_str(&j, "build_id", in->object->elf->build_id);
	json_uint(&j, "functions", in->object->go->n_funcs);
	json_layout(&j, &in->layout);
	json_each(&j, "threads", in->n, json_thread(in, &j, &in->threads[i]));
	json_close(&j, '}');
	putchar('\n');
}

/* Prints a row of the header, made safe for terminals. */
static void print_row(const char *name, const char *value)
{
	struct buf b = { 0 };

	buf_printf(&b, "  %-12s ", name);
	plain_add(&b, value);
	buf_u8(&b, '\n');
	buf_write(&b, stdout);
	buf_release(&b);
}

static void print_slot(const struct inspection *in)
{
	const struct golayout *l = &in->layout;
	const char *tp = in->object->elf->machine == EM_AARCH64 ? "TPIDR_EL0 " : "%fs:";
	char line[128] = "not found";

	if (l->slot_how && l->layout.g_in_register)
		strcpy(line, "register x28 (no cgo)");
	else if (l->slot_how && l->layout.tls_g)
		snprintf(line, sizeof(line), "%s%+lld, found by %s", tp, l->layout.tls_g,
			 l->slot_how);
	else if (l->slot_how)
		snprintf(line, sizeof(line),
			 "known only at run time: the word at %#" PRIx64 ", found by %s",
			 l->got, l->slot_how);
	print_row("g slot", line);
}

static void print_program(const struct inspection *in)
{
	const struct object *o = in->object;
	struct cursor bytes;
	char line[128];
	uint64_t vaddr;

	snprintf(line, sizeof(line), "%d", in->pid);
	print_row("program", o->path);
	if (in->pid)
		print_row("process", line);
	print_row("Go version", o->version);
	print_row("build-id", *o->elf->build_id ? o->elf->build_id : "none");
	if (elf_section(o->elf, ".gopclntab", &vaddr, &bytes) ||
	    elf_section(o->elf, ".data.rel.ro.gopclntab", &vaddr, &bytes))
		snprintf(line, sizeof(line), "%u functions, section at %#" PRIx64,
			 o->go->n_funcs, vaddr);
	else
		snprintf(line, sizeof(line), "%u functions, found by its header",
			 o->go->n_funcs);
	print_row("pclntab", line);
}

static void print_layout(const struct golayout *l)
{
	print_row("goroutines", l->why ? l->why : "ids can be read");
	for (int c = 0; c < CHECKS; c++)
		printf("%s%s %s", c ? ", " : "  checks       ", layout_checks[c].name,
		       !l->checks[c].ran ? "not run"
		       : l->checks[c].ok ? "ok"
					 : "FAILED");
	putchar('\n');
	for (int f = 0; f < FIELDS && l->fields[f].how; f++) {
		if (!f)
			puts("\n  field             offset  found by");
		if (l->fields[f].offset < 0)
			printf("  %-16s       -  not in this version\n",
			       layout_fields[f].name);
		else
			printf("  %-16s %7d  %s\n", layout_fields[f].name,
			       l->fields[f].offset, l->fields[f].how);
	}
}

static void add_address(struct buf *b, uint64_t v)
{
	if (v)
		buf_printf(b, "  %#14" PRIx64, v);
	else
		buf_printf(b, "  %14s", "-");
}

static void print_thread(const struct inspection *in, const struct inspected_thread *t)
{
	const uint64_t addresses[] = { t->kernel.tp, t->slot, t->g, t->m, t->curg };
	const char *at = strtab_get(in->strs, t->at);
	struct buf b = { 0 };

	buf_printf(&b, "%9u", t->kernel.tid);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
		add_address(&b, addresses[i]);
	if (t->goid)
		buf_printf(&b, "  %6" PRIu64, t->goid);
	else
		buf_str(&b, "       -");
	buf_printf(&b, "  %-9s  %-9s  ", t->status, event_class_names[t->class]);
	plain_add(&b, *at ? at : "?");
	if (t->start) {
		buf_str(&b, ", for ");
		plain_add(&b, strtab_get(in->strs, t->start));
	}
	buf_u8(&b, '\n');
	buf_write(&b, stdout);
	buf_release(&b);
}

static void print_threads(const struct inspection *in)
{
	uint32_t twice = 0;

	printf("\n%9s  %14s  %14s  %14s  %14s  %14s  %6s  %-9s  %-9s  %s\n", "thread",
	       "FS base", "g slot", "g", "m", "m.curg", "goid", "status", "class",
	       "where it is");
	for (uint32_t i = 0; i < in->n; i++)
		print_thread(in, &in->threads[i]);
	putchar('\n');
	for (uint32_t i = 0; i < in->n; i++) {
		const struct inspected_thread *t = &in->threads[i];

		twice += !t->why;
		if (t->why)
			printf("thread %u: FS base read only once: %s\n", t->kernel.tid,
			       t->why);
	}
	if (twice)
		printf("FS base of %u thread%s read by the kernel and by ptrace: %s\n"
		       "no thread was stopped for more than %" PRIu64 " us\n",
		       twice, twice == 1 ? "" : "s", in->differ ? "THEY DIFFER" : "equal",
		       (in->longest_ns + 999) / 1000);
}

static int probe(struct inspection *in, const char *name)
{
	struct go_program program = { 0 };
	const char *what;
	int err;

	space_program(in->space, &program);
	in->object = space_go(in->space, &in->bias);
	if (!in->object) {
		log_error("%s%s: %s", in->pid ? "process " : "", name,
			  program.why ? program.why : "not a Go program");
		return STATUS_FAILED;
	}
	err = inspection_run(in, &what);
	if (!err)
		return STATUS_OK;
	if (what)
		say_cannot("inspect", what, err);
	else
		log_error("process %s: %s", name,
			  err == -ESRCH ? "it has ended" : strerror(-err));
	return STATUS_FAILED;
}

static int run(struct inspection *in, const char *name, bool json)
{
	uint64_t pid;
	int status;

	if (!number_parse(name, 1, INT_MAX, &pid)) {
		in->pid = (pid_t)pid;
		status = open_process(&in->space, in->symbolizer, in->pid);
	} else {
		status = open_binary(&in->space, in->symbolizer, name);
	}
	if (!status)
		status = probe(in, name);
	if (status)
		return status;
	if (json) {
		print_json(in);
	} else {
		print_program(in);
		print_slot(in);
		print_layout(&in->layout);
		if (in->pid)
			print_threads(in);
	}
	for (uint32_t i = 0; i < in->n; i++) {
		const struct inspected_thread *t = &in->threads[i];

		if (!t->why && t->user.tp != t->kernel.tp)
			log_error("thread %u: FS base is %#" PRIx64
				  " to the kernel and %#" PRIx64 " to ptrace",
				  t->kernel.tid, (uint64_t)t->kernel.tp, t->user.tp);
	}
	return in->differ ? STATUS_FAILED : STATUS_OK;
}

int cmd_inspect(int argc, char **argv)
{
	struct inspection in = { 0 };
	const char *pid = NULL;
	bool json = false;
	const struct opt opts[] = {
		{ 'p', "pid", "PID", "inspect this process", .str = &pid },
		{ 0, "json", NULL, "one JSON object", .flag = &json },
		COMMON_OPTIONS,
	};
	uint64_t number;
	int status;

	if (help_wanted(argc, argv))
		return help_verb("inspect", opts);
	if (opt_parse(opts, &argc, &argv, true))
		return STATUS_USAGE;
	if (pid && number_parse(pid, 1, INT_MAX, &number))
		return usage_error("inspect", "-p takes a pid, not '%s'", pid);
	if (argc + (pid != NULL) != 1)
		return usage_error("inspect", argc ? "takes one PID or BINARY"
						   : "missing PID or BINARY");
	in.strs = strtab_new();
	in.symbolizer = symbolizer_new(in.strs);
	status = run(&in, pid ? pid : *argv, json);
	inspection_release(&in);
	space_close(in.space);
	symbolizer_close(in.symbolizer);
	strtab_free(in.strs);
	return status;
}
