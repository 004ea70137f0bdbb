/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/cells.h"

#include "output/json_meta.h"
#include "output/text.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/view.h"

struct cells cells_of(const struct view *v, uint64_t total, uint32_t width, bool color,
		      FILE *out)
{
	return (struct cells){ .out = out,
			       .width = width && width < CELLS_MIN_WIDTH ? CELLS_MIN_WIDTH
									 : width,
			       .color = color,
			       .time = profile_is_time(v->profile, v->kind),
			       .total = total };
}

const char *style_of(uint8_t origin)
{
	return origin == ORIGIN_OWN       ? STYLE_OWN
	       : origin == ORIGIN_LIBRARY ? NULL
					  : STYLE_DIM;
}

void line_end(struct cells *c, const char *style)
{
	bool styled = style && c->color && c->line.len;

	if (styled)
		fputs(style, c->out);
	buf_write(&c->line, c->out);
	fputs(styled ? STYLE_NONE "\n" : "\n", c->out);
}

uint32_t line_left(const struct cells *c)
{
	if (!c->width)
		return UINT32_MAX;
	return c->width > c->line.len ? c->width - (uint32_t)c->line.len : 1;
}

void weight_add(struct buf *b, bool time, uint64_t weight)
{
	double s = (double)weight / 1e9;

	if (weight < 10000000 && (!time || !weight))
		text_count(b, weight);
	else if (!time && weight < 10000000000)
		buf_printf(b, "%.1fM", s * 1e3);
	else if (!time)
		buf_printf(b, "%.1fG", s);
	else if (s < 0.00995)
		buf_printf(b, "%.1fms", s * 1e3);
	else if (s < 0.9995)
		buf_printf(b, "%.0fms", s * 1e3);
	else if (s < 9.995)
		buf_printf(b, "%.2fs", s);
	else if (s < 99.95)
		buf_printf(b, "%.1fs", s);
	else {
		text_count(b, (weight + 500000000) / 1000000000);
		buf_u8(b, 's');
	}
}

uint32_t kind_add(struct buf *b, const struct view *v, uint32_t max)
{
	const struct profile *p = v->profile;

	return text_fit(
		b, view_is_cpu(v) ? "CPU" : profile_string(p, p->kinds[v->kind].name), max);
}

void cell_kind(struct cells *c, const struct view *v)
{
	struct buf b = { 0 };
	uint32_t n = kind_add(&b, v, 9);

	buf_printf(&c->line, "%*s%.*s    share  ", (int)(9 - n), "", (int)b.len,
		   (const char *)b.data);
	buf_release(&b);
}

void cell_weight(struct cells *c, uint64_t weight)
{
	struct buf b = { 0 };

	weight_add(&b, c->time, weight);
	buf_printf(&c->line, "%9.*s  ", (int)b.len, (const char *)b.data);
	buf_release(&b);
}

static double percent_of(const struct cells *c, uint64_t weight)
{
	return c->total ? 100.0 * (double)weight / (double)c->total : 0;
}

void cell_share(struct cells *c, uint64_t weight)
{
	buf_printf(&c->line, "%6.1f%%  ", percent_of(c, weight));
}

double percent_down(uint64_t part, uint64_t of)
{
	return (double)(uint64_t)(share_of(part, of) * 1000 + 1e-9) / 10;
}

void rows_more(struct cells *c, uint32_t n, uint64_t weight)
{
	if (!n)
		return;
	buf_str(&c->line, "  \xe2\x80\xa6 ");
	text_count(&c->line, n);
	buf_printf(&c->line, " more row%s, %.1f%% (-n 0 shows all)", n == 1 ? "" : "s",
		   percent_of(c, weight));
	line_end(c, STYLE_DIM);
}
