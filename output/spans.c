/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/spans.h"

#include <stdarg.h>
#include <stdlib.h>

#include "output/text.h"
#include "profiler/base/arena.h"

uint32_t spans_left(const struct spans *s)
{
	return !s->width ? UINT32_MAX : s->width > s->column ? s->width - s->column : 0;
}

void spans_fit(struct spans *s, enum ink ink, const char *text, uint32_t max)
{
	uint32_t left = spans_left(s), at = (uint32_t)s->text.len, columns;

	max = max < left ? max : left;
	if (!max || !*text)
		return;
	columns = text_fit(&s->text, text, max);
	*table_add(s->rows, s->n, s->cap) = (struct span){
		.line = s->line,
		.column = s->column,
		.columns = columns,
		.at = at,
		.len = (uint32_t)s->text.len - at,
		.ink = (uint8_t)ink,
	};
	s->column += columns;
}

void spans_add(struct spans *s, enum ink ink, const char *text)
{
	spans_fit(s, ink, text, UINT32_MAX);
}

void spans_printf(struct spans *s, enum ink ink, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	spans_add(s, ink, text);
	free(text);
}

void spans_to(struct spans *s, uint32_t column)
{
	s->column = column > s->column ? column : s->column;
}

void spans_right(struct spans *s, enum ink ink, const char *text)
{
	uint32_t n = text_columns(text);

	if (!s->width || n + 2 > spans_left(s))
		return;
	spans_to(s, s->width - n);
	spans_add(s, ink, text);
}

void spans_end(struct spans *s)
{
	s->line++;
	s->column = 0;
}

void spans_write(const struct spans *s, FILE *out)
{
	uint32_t i = 0;

	for (uint32_t line = 0; line < s->line; line++) {
		uint32_t column = 0;

		for (; i < s->n && s->rows[i].line == line; i++) {
			const struct span *r = &s->rows[i];

			fprintf(out, "%*s", (int)(r->column - column), "");
			fwrite(s->text.data + r->at, 1, r->len, out);
			column = r->column + r->columns;
		}
		fputc('\n', out);
	}
}

void spans_clear(struct spans *s)
{
	s->text.len = s->n = s->line = s->column = s->chosen = 0;
}

void spans_release(struct spans *s)
{
	buf_release(&s->text);
	free(s->rows);
	*s = (struct spans){ 0 };
}
