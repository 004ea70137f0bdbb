/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data of the flame graph page: the samples of a view, or of two that are compared, as
 * tables that the page makes its trees from.
 *
 * The data is sections: name, NUL, length in bytes, body. A body is a column of LEB128
 * numbers, one per row; that of "strings" is NUL-terminated bytes. Readers skip unknown
 * sections, so columns and tables can be added. Row 0 of stacks and goroutines is "none".
 *
 *	strings		the string table; 0 is ""
 *	meta		title (string), start in ns, period of the kind of event (0: each
 *			has its own weight), are weights ns?, the kind's name (string),
 *			length of the recording in ns, time selected from and to in ns,
 *			CPUs, length of a time cell in ns, version (string), 1 if what is
 *			compared are shares
 *	quality		see put_quality(); shares and seconds in millionths
 *	by		the keys of the grouping, as --by takes them (strings)
 *	options		those of the command line that left samples out (strings)
 *	kind.name	what frames are coloured by: enum palette (strings)
 *	class.name	why a sample has no goroutine: enum event_class (strings)
 *	func.*		name, file, module (strings), line (its first), kind (row)
 *	frame.*		func (row), line (0: not known), inlined
 *	stack.*		up (own row minus the caller's), frame (row)
 *	process.*	name (string, "demo-812"), tgid, program (string)
 *	thread.*	process (row), tid, name (string)
 *	goroutine.*	goid, parent (goid; 0: not known), process (row), start, creator,
 *			labels (strings), lost (some labels could not be read)
 *	label.*		goroutine (minus that of the row before), key, value (strings)
 *	event.*		time (cells since that of the row before), stack, goroutine, thread
 *			(rows), class, count (samples, minus 1), extra: what the weight has
 *			beyond samples × period, zig-zag, mostly 0
 *
 * Equal samples of one time cell are one row of event.*. With two views, the sections of
 * the older one have names that begin with "old."; strings, by, options, kind.*, class.*,
 * func.* and frame.* are common to both. Goroutines then have the names that match_views()
 * gave them.
 */
#pragma once

#include <stdbool.h>

struct buf;
struct view;

/* Adds the data of the view to ret. old: what it is compared with, or NULL; shares: by the
 * shares of their weight, not by weight per second. */
void page_data_add(const struct view *v, const struct view *old, bool shares,
		   struct buf *ret);
