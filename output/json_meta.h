/* SPDX-License-Identifier: BSD-2-Clause */
/* What `report --json` and `export -f json` both say: fields of the outermost object, about
 * the recording and what was selected of it. docs/json.md describes them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct json;
struct view;

bool view_is_cpu(const struct view *v); /* its events are of kind cpu */
/* Which program, when, and how it was sampled. */
void json_recording(struct json *j, const struct view *v);
/* The options that select; report: those that only report has too. */
void json_selection(struct json *j, const struct view *v, bool report);
/* "truth": the figures of the quality line. */
void json_quality(struct json *j, const struct view *v);
/* RFC 3339, in UTC; ns since 1970. */
void json_time(struct json *j, const char *key, uint64_t ns);
/* An object of strings, of a set as in labels.h. True if all of them are there,
 * whole. */
bool json_labels(struct json *j, const char *name, const char *set);
/* An object: a row of the profile's processes. */
void json_process(struct json *j, const struct view *v, uint32_t process);
/* enum origin */
void json_origin(struct json *j, const char *key, uint8_t origin);
