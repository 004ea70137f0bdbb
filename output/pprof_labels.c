/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/pprof_labels.h"

#include <stdlib.h>
#include <string.h>

#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/plain.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/label_keys.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/view.h"

int64_t pprof_text(struct strtab *strings, const char *s, size_t n)
{
	struct buf bytes = { 0 }, valid = { 0 };
	uint32_t id;

	if (!n)
		return 0;
	buf_add(&bytes, s, n);
	s = buf_text(&bytes);
	while (s < (const char *)bytes.data + n) {
		uint32_t code = plain_decode(&s);

		plain_put(&valid, code ? code : PLAIN_REPLACEMENT);
	}
	id = strtab_add(strings, buf_text(&valid));
	buf_release(&bytes);
	buf_release(&valid);
	return id;
}

static int64_t text(struct pprof_labels *l, const struct buf *b)
{
	return pprof_text(l->strings, (const char *)b->data, b->len);
}

static const char *const names[PPROF_LABELS] = {
	[PPROF_GOID] = "goid",
	[PPROF_GO_PARENT] = "go_parent",
	[PPROF_GO_START] = "go_start",
	[PPROF_GO_CREATED_BY] = "go_created_by",
	[PPROF_PID] = "pid",
	[PPROF_THREAD_ID] = "thread_id",
	[PPROF_THREAD_NAME] = "thread_name",
	[PPROF_CPU] = "cpu",
};

static bool is_written(const struct pprof_labels *l, int label)
{
	if (l->of == LABELS_OF_NONE)
		return false;
	if (l->of == LABELS_CHOSEN)
		return label <= PPROF_GO_PARENT ||
		       l->choice->has(l->choice->arg, names[label]);
	if (l->of == LABELS_OF_GROUP && label == PPROF_PID)
		return l->view->n_processes > 1;
	return l->of == LABELS_OF_ALL || label < PPROF_PID;
}

/* The value of a label, as it is to be written. */
static int64_t value_text(struct pprof_labels *l, const char *key, struct buf *value)
{
	const char *s;

	if (l->of != LABELS_CHOSEN)
		return text(l, value);
	s = l->choice->value(l->choice->arg, key, buf_text(value));
	return pprof_text(l->strings, s, strlen(s));
}

/* The program's labels keep their keys. */
static void choose_key(struct pprof_labels *l, int label, const struct label_keys *taken)
{
	struct buf key = { 0 };

	buf_str(&key, names[label]);
	while (label_keys_have(taken, (const char *)key.data, key.len)) {
		key.len = 0;
		buf_str(&l->prefix, "gostrobe.");
		buf_add(&key, l->prefix.data, l->prefix.len);
		buf_str(&key, names[label]);
	}
	l->keys[label] = text(l, &key);
	if (l->prefix.len && is_written(l, label))
		buf_printf(&l->note,
			   "label %s is the program's own; that of gostrobe is %s\n",
			   names[label], buf_text(&key));
	l->prefix.len = 0;
	buf_release(&key);
}

void pprof_labels_init(struct pprof_labels *l, const struct view *v,
		       const struct writer_options *o, struct strtab *strings)
{
	struct label_keys taken;

	*l = (struct pprof_labels){
		.view = v, .of = o->labels, .choice = o->choice, .strings = strings
	};
	l->id_unit = strtab_add(strings, "id");
	label_keys_init(&taken, v->profile);
	for (int i = 0; i < PPROF_LABELS; i++)
		choose_key(l, i, &taken);
	label_keys_release(&taken);
}

void pprof_labels_release(struct pprof_labels *l)
{
	pairs_release(&l->whos);
	pairs_release(&l->names);
	free(l->name_ids);
	buf_release(&l->key);
	buf_release(&l->value);
	buf_release(&l->prefix);
	buf_release(&l->note);
	free(l->rows);
	free(l->list);
}

uint64_t pprof_labels_key(struct pprof_labels *l, const struct event *e)
{
	uint64_t goroutine = (uint64_t)e->goroutine << 32;

	if (l->of == LABELS_OF_NONE)
		return 0;
	if (l->of == LABELS_OF_ALL)
		return pairs_add(&l->whos, goroutine | e->thread, e->cpu);
	if (l->view->n_processes > 1)
		return goroutine | l->view->profile->threads[e->thread].process;
	return goroutine;
}

static Pprof__Label *add(struct pprof_labels *l, int64_t key)
{
	Pprof__Label *label = table_add(l->rows, l->n, l->cap);

	pprof__label__init(label);
	label->key = key;
	return label;
}

/* With a unit a 0 is a number, too. */
static void put_number(struct pprof_labels *l, int label, uint64_t v)
{
	Pprof__Label *to = add(l, l->keys[label]);

	to->num = (int64_t)v;
	to->num_unit = l->id_unit;
}

static void add_number(struct pprof_labels *l, int label, uint64_t v)
{
	if (v && is_written(l, label))
		put_number(l, label, v);
}

static void add_string(struct pprof_labels *l, int label, int64_t id)
{
	if (id)
		add(l, l->keys[label])->str = id;
}

/* A function of the process, as it is shown. */
static int64_t go_name(struct pprof_labels *l, int label, uint32_t process, uint32_t string)
{
	uint32_t row = pairs_add(&l->names, string, process);

	if (row == l->n_name_ids) {
		int64_t *id = table_add(l->name_ids, l->n_name_ids, l->cap_name_ids);

		l->value.len = 0;
		view_go_name(l->view, process, profile_string(l->view->profile, string),
			     &l->value);
		*id = value_text(l, names[label], &l->value);
	}
	return l->name_ids[row];
}

/* The program's own. Of one that is not known whole "…" shows that there is more. */
static void add_own(struct pprof_labels *l, const char *set)
{
	enum label_state state;
	int64_t id;

	while ((state = labels_next(&set, &l->key, &l->value)) != LABEL_NONE) {
		if (state == LABEL_LOST ||
		    (l->of == LABELS_CHOSEN &&
		     !l->choice->has(l->choice->arg, buf_text(&l->key))))
			continue;
		if (state == LABEL_PART)
			buf_str(&l->value, "…");
		id = value_text(l, buf_text(&l->key), &l->value);
		if (id || l->of != LABELS_CHOSEN)
			add(l, text(l, &l->key))->str = id;
	}
}

static void add_goroutine(struct pprof_labels *l, uint32_t row)
{
	const struct profile *p = l->view->profile;
	const struct goroutine *g = &p->goroutines[row];

	add_number(l, PPROF_GOID, g->goid);
	add_number(l, PPROF_GO_PARENT, g->parent_goid);
	if (is_written(l, PPROF_GO_START)) /* else what it runs need not be known */
		add_string(l, PPROF_GO_START,
			   go_name(l, PPROF_GO_START, g->process, view_runs(l->view, row)));
	if (is_written(l, PPROF_GO_CREATED_BY))
		add_string(l, PPROF_GO_CREATED_BY,
			   go_name(l, PPROF_GO_CREATED_BY, g->process, g->creator));
	add_own(l, profile_string(p, g->labels));
}

static void add_thread(struct pprof_labels *l, uint32_t row, uint32_t cpu)
{
	const struct profile *p = l->view->profile;
	const struct thread *t = &p->threads[row];
	const char *name = profile_string(p, t->name);

	add_number(l, PPROF_PID, p->processes[t->process].tgid);
	add_number(l, PPROF_THREAD_ID, t->tid);
	if (is_written(l, PPROF_THREAD_NAME))
		add_string(l, PPROF_THREAD_NAME,
			   pprof_text(l->strings, name, strlen(name)));
	if (cpu)
		put_number(l, PPROF_CPU, cpu - 1);
}

size_t pprof_labels_get(struct pprof_labels *l, uint64_t key, Pprof__Label ***ret)
{
	struct pair who = { .a = key };
	uint32_t goroutine, other;

	if (l->of == LABELS_OF_ALL)
		who = l->whos.rows[key];
	goroutine = (uint32_t)(who.a >> 32);
	other = (uint32_t)who.a;
	l->n = 0;
	if (goroutine)
		add_goroutine(l, goroutine);
	if (l->of == LABELS_OF_ALL)
		add_thread(l, other, (uint32_t)who.b);
	else
		add_number(l, PPROF_PID, l->view->profile->processes[other].tgid);
	while (l->n_list < l->n)
		(void)table_add(l->list, l->n_list, l->cap_list);
	for (uint32_t i = 0; i < l->n; i++)
		l->list[i] = &l->rows[i];
	*ret = l->list;
	return l->n;
}
