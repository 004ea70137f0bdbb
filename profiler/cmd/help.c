/* SPDX-License-Identifier: BSD-2-Clause */
/* help, and the list of verbs that it is made from. */
#include <stdarg.h>
#include <string.h>

#include "profiler/base/log.h"
#include "profiler/cmd/cmd.h"

const struct verb verbs[] = {
	{ "record", "-p PID[,PID…] | -a | -- COMMAND [ARG…]",
	  "sample Go programs into a recording, or any format of export",
	  "Needs root, or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE.", cmd_record },
	{ "report", "FILE", "what a recording says, as text",
	  "First the goroutine groups, then the functions: flat is the time in a function itself, cum\n"
	  "that with what it called. A terminal gets what fits into it; piped, nothing is cut. With -v also\n"
	  "why stacks do not reach their root.",
	  cmd_report },
	{ "export", "-f FORMAT FILE", "a recording in another format", NULL, cmd_export },
	{ "flame", "FILE", "the flame graph page, beside the recording; prints its name",
	  NULL, cmd_flame },
	{ "symbolize", "BINARY | -p PID [ADDR…]",
	  "names for addresses, also of stripped Go programs",
	  "Addresses are hexadecimal, those of the ELF file, and looked up as they are; without any,\n"
	  "one a line is read from stdin. The answer to each is a line for each frame, innermost\n"
	  "first, then an empty one:\n\n"
	  "  main.tiny /src/main.go:66 (inlined)\n"
	  "  main.main /src/main.go:12\n\n"
	  "\"?? ??:0\" when nothing covers it. Empty lines are skipped; what is no address is named on\n"
	  "stderr and has no answer, the others still do, and the exit status is 1. Names are those of\n"
	  "the runtime's own tracebacks, main.F[...]; --list has the symbols in full.",
	  cmd_symbolize },
	{ "inspect", "PID | BINARY",
	  "where goroutines are in a program or a process, and how that is known",
	  "Of a process a line for each thread: FS base, address of the slot of g, what is in it, m,\n"
	  "m.curg, goid and status of the goroutine, what the thread is doing. The FS base is read twice,\n"
	  "from the kernel's task struct and by ptrace, for which each thread stands still for some\n"
	  "microseconds; if they differ, that is said, and the exit status is 1. A thread that a debugger\n"
	  "holds has the first only. Needs what record needs.",
	  cmd_inspect },
	{ "doctor", "", "whether this machine can record, and what would help",
	  "Each condition is fine, poor (a part will be missing) or bad (recording cannot work, and the\n"
	  "exit status is 1), with the smallest mend.",
	  cmd_doctor },
	{ "help", "[VERB]", "this, or how to use a verb", NULL, cmd_help },
	{ 0 },
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

bool help_wanted(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return true;
	return false;
}

int help_verb(const char *verb, const struct opt *opts)
{
	const struct verb *v = verb_find(verb);

	printf("Usage: gostrobe %s [OPTION…] %s\n\n%s\n", v->name, v->args, v->summary);
	if (v->text)
		printf("\n%s\n", v->text);
	puts("\nOptions (default):");
	opt_help(opts);
	for (; opts->name; opts++)
		if (!strcmp(opts->name, "by"))
			puts("\nKEY is goroutine, start (function), creator (go statement), label:NAME (a pprof\n"
			     "label), class, thread, process or none; several, comma-separated, nest: --by\n"
			     "creator,goroutine.\n\n"
			     "--as-pprof knows no runtime._GC (it says _System), and cannot tell apart what is about\n"
			     "to enter or to leave C or the vDSO on a scheduler stack: see sigprof.h.");
	return STATUS_OK;
}

void help_all(FILE *out)
{
	fputs("gostrobe: what each goroutine of a running Go program spends its CPU time on\n\n"
	      "  gostrobe PID                 record that process for 10 s and print the report\n",
	      out);
	for (const struct verb *v = verbs; v->name; v++)
		fprintf(out, "  gostrobe %-19s %s\n", v->name, v->summary);
	fputs("  gostrobe --version           which version this is\n\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage; of a launched command its own, or\n"
	      "125 own failure, 126 cannot execute, 127 not found.\n",
	      out);
}

int usage_error(const char *verb, const char *fmt, ...)
{
	char line[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	error("%s", line);
	info("see: gostrobe help%s%s", verb ? " " : "", verb ? verb : "");
	return STATUS_USAGE;
}

int cmd_help(int argc, char **argv)
{
	const struct verb *v;
	char *args[] = { NULL, "--help", NULL };

	if (argc > 2)
		return usage_error(NULL, "help of one verb at a time");
	v = argc == 2 ? verb_find(argv[1]) : NULL;
	if (argc == 2 && !v)
		return usage_error(NULL, "there is no verb '%s'", argv[1]);
	if (!v || v->run == cmd_help) {
		help_all(stdout);
		return STATUS_OK;
	}
	args[0] = argv[1];
	return v->run(2, args);
}
