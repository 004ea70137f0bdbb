/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/firefox_tables.h"

#include <stdlib.h>
#include <string.h>

#include "output/palette.h"
#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/view.h"

/* What frames of a function have in common. */
struct firefox_func {
	uint32_t name, file, line, module; /* name and file in strings */
	uint32_t kernel;
};

static uint32_t add_func(struct firefox_tables *x, const struct shown_frame *s)
{
	const struct profile *p = x->view->profile;
	struct firefox_func f = { strtab_add(x->strings,
					     strtab_get(x->frames.names, s->name)),
				  strtab_add(x->strings, profile_string(p, s->file)),
				  s->start_line, s->module, s->palette == PALETTE_KERNEL };

	return index_put(&x->index, x->funcs, x->n_funcs, x->cap_funcs, &f, sizeof(f));
}

/* The row in the table of sources, + 1; 0 for "". */
static uint32_t source_of(struct firefox_tables *x, uint32_t file)
{
	while (x->n_source_of <= file)
		*table_add(x->source_of, x->n_source_of, x->cap_source_of) = 0;
	if (file && !x->source_of[file]) {
		*table_add(x->files, x->n_files, x->cap_files) = file;
		x->source_of[file] = x->n_files;
	}
	return x->source_of[file];
}

static void make_funcs(struct firefox_tables *x)
{
	x->func_of = mem_zalloc((x->frames.n + 1) * sizeof(*x->func_of));
	for (uint32_t i = 0; i < x->frames.n; i++)
		x->func_of[i] = add_func(x, &x->frames.rows[i]);
	for (uint32_t i = 0; i < x->n_funcs; i++)
		source_of(x, x->funcs[i].file);
}

static void write_frames(struct firefox_tables *x, struct json *j)
{
	const struct shown_frame *rows = x->frames.rows;
	uint32_t n = x->frames.n;

	json_open(j, "frameTable", '{');
	json_uint(j, "length", n);
	json_each(j, "address", n, json_num(j, NULL, -1));
	json_column(j, "inlineDepth", n, rows[i].inlined);
	json_column(j, "category", n, rows[i].palette);
	json_column(j, "subcategory", n, 0);
	json_column(j, "func", n, x->func_of[i]);
	json_nulls(j, "nativeSymbol", n);
	json_column(j, "innerWindowID", n, 0);
	json_each(j, "line", n, json_uint_or_null(j, NULL, rows[i].line));
	json_nulls(j, "column", n);
	json_nulls(j, "originalLocation", n);
	json_close(j, '}');
}

/* Resource 0 is the kernel; the others are modules. */
static void write_funcs(struct firefox_tables *x, struct json *j)
{
	const struct firefox_func *f = x->funcs;
	uint32_t n = x->n_funcs;

	json_open(j, "funcTable", '{');
	json_uint(j, "length", n);
	json_column(j, "name", n, f[i].name);
	json_each(j, "isJS", n, json_bool(j, NULL, false));
	json_each(j, "relevantForJS", n, json_bool(j, NULL, false));
	json_each(j, "resource", n,
		  json_num(j, NULL,
			   f[i].kernel   ? 0
			   : f[i].module ? f[i].module
					 : -1.0));
	json_each(j, "source", n,
		  json_uint_if(j, NULL, source_of(x, f[i].file) - 1, f[i].file));
	json_each(j, "lineNumber", n, json_uint_or_null(j, NULL, f[i].line));
	json_nulls(j, "columnNumber", n);
	json_nulls(j, "originalLocation", n);
	json_close(j, '}');
}

static uint32_t module_name(struct firefox_tables *x, uint32_t module)
{
	const struct profile *p = x->view->profile;
	const char *path = profile_string(p, p->modules[module].path),
		   *slash = strrchr(path, '/');

	return strtab_add(x->strings, !module ? "[kernel]" : slash ? slash + 1 : path);
}

static void write_resources(struct firefox_tables *x, struct json *j)
{
	uint32_t n = x->view->profile->n_modules;

	json_open(j, "resourceTable", '{');
	json_uint(j, "length", n);
	json_each(j, "lib", n, json_uint_if(j, NULL, i - 1, i));
	json_column(j, "name", n, module_name(x, i));
	json_nulls(j, "host", n);
	json_column(j, "type", n, i ? 1 : 0); /* 1: a library */
	json_close(j, '}');
	json_open(j, "sources", '{');
	json_uint(j, "length", x->n_files);
	json_nulls(j, "id", x->n_files);
	json_column(j, "filename", x->n_files, x->files[i]);
	json_column(j, "startLine", x->n_files, 1);
	json_column(j, "startColumn", x->n_files, 1);
	json_nulls(j, "sourceMapURL", x->n_files);
	json_nulls(j, "content", x->n_files);
	json_close(j, '}');
}

/* Tables that we have no use for. */
static void write_empty(struct json *j)
{
	json_open(j, "nativeSymbols", '{');
	json_uint(j, "length", 0);
	json_nulls(j, "address", 0);
	json_nulls(j, "functionSize", 0);
	json_nulls(j, "libIndex", 0);
	json_nulls(j, "name", 0);
	json_close(j, '}');
	json_open(j, "sourceLocationTable", '{');
	json_uint(j, "length", 0);
	json_nulls(j, "source", 0);
	json_nulls(j, "line", 0);
	json_nulls(j, "column", 0);
	json_close(j, '}');
}

/* Modules; frames have names, so that nobody looks for symbols. */
static void write_libs(struct firefox_tables *x, struct json *j)
{
	const struct profile *p = x->view->profile;

	json_line(j);
	json_open(j, "libs", '[');
	for (uint32_t i = 1; i < p->n_modules; i++) {
		const char *path = profile_string(p, p->modules[i].path);
		const char *name = strtab_get(x->strings, module_name(x, i));

		json_open(j, NULL, '{');
		json_str(j, "arch", "");
		json_str(j, "name", name);
		json_str(j, "path", path);
		json_str(j, "debugName", name);
		json_str(j, "debugPath", path);
		json_str(j, "breakpadId", "");
		json_str_or_null(j, "codeId", profile_string(p, p->modules[i].build_id));
		json_close(j, '}');
	}
	json_close(j, ']');
}

void firefox_tables_write(struct firefox_tables *x, struct json *j)
{
	const struct stack *stacks = x->frames.stacks + 1; /* ours has no empty one */
	uint32_t n = x->frames.n_stacks - 1;

	write_libs(x, j);
	json_line(j);
	json_open(j, "shared", '{');
	json_open(j, "stackTable", '{');
	json_uint(j, "length", n);
	json_column(j, "frame", n, stacks[i].frame);
	json_column(j, "prefixOffset", n, stacks[i].parent ? i + 1 - stacks[i].parent : 0);
	json_close(j, '}');
	write_frames(x, j);
	write_funcs(x, j);
	write_resources(x, j);
	write_empty(j);
	json_each(j, "stringArray", strtab_count(x->strings),
		  json_str(j, NULL, strtab_get(x->strings, i)));
	json_close(j, '}');
}

void json_nulls(struct json *j, const char *name, uint32_t n)
{
	json_each(j, name, n, json_null(j, NULL));
}

void firefox_tables_make(struct firefox_tables *x, const struct view *v)
{
	*x = (struct firefox_tables){ .view = v, .strings = strtab_new() };
	x->frames.view = v;
	x->frames.functions = true;
	frames_make(&x->frames);
	make_funcs(x);
}

void firefox_tables_release(struct firefox_tables *x)
{
	frames_release(&x->frames);
	index_release(&x->index);
	strtab_free(x->strings);
	free(x->funcs);
	free(x->func_of);
	free(x->files);
	free(x->source_of);
}
