/* SPDX-License-Identifier: BSD-2-Clause */
/* help, and the table of verbs that it prints. */
#include <bpf/libbpf.h>
#include <elfutils/version.h>
#include <stdarg.h>
#include <string.h>

#include "output/writer.h"
#include "profiler/base/log.h"
#include "profiler/base/similar.h"
#include "profiler/cmd/cmd.h"
#include "symbolizer/gopclntab.h"

const struct verb verbs[] = {
	{ "record", "-p PID[,PID…] | -a | -- COMMAND [ARG…]",
	  "record Go programs to a .gsr file, or straight to a format of export",
	  "Needs root, or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE.", cmd_record },
	{ "report", "FILE", "print a recording as text",
	  "The groups come first: by default goroutines by the function that they run, with the one that "
	  "used the most CPU, and the path through the program's own code that takes the most of it. "
	  "Then the functions (flat is the time spent in a function itself, cum includes what it "
	  "called), the lines, and which labels there are. Tables show the rows that fit the terminal, "
	  "and no more when piped; names are cut on a terminal only. -v adds what is known about each "
	  "goroutine, and why stacks are incomplete.",
	  cmd_report },
	{ "export", "-f FORMAT FILE", "convert a recording to another format", NULL,
	  cmd_export },
	{ "flame", "FILE",
	  "write the flame graph page beside the recording and print its name", NULL,
	  cmd_flame },
	{ "diff", "OLD NEW", "show what grew and what shrank between two recordings",
	  "The goroutine groups come first, then the functions: flat is the time spent in a function "
	  "itself, cum includes what it called. Recordings differ in length, so CPU time is compared "
	  "per second of recording, which is the number of CPUs in use; -N compares shares of all CPU "
	  "time instead. Groups are matched by start function and, where one function is started in "
	  "several places, by place; ids never match. This is --by start, the default.\n\n"
	  "± is the sampling error: if nothing has changed, 95% of deltas are within it. Of many rows "
	  "some exceed it by chance, so a row is said to differ only if its delta stands out among all "
	  "rows: of those that do, at most 5% are expected to be chance. The others come last, and are "
	  "dim or have a \"~\". The error covers sampling, not the program or the machine: other input or "
	  "a busy machine makes a difference too.\n\n"
	  "-f folded writes \"STACK OLD NEW\", the numbers of samples, for flamegraph.pl; with -N those "
	  "of OLD are scaled to the sum of NEW. --fail-over PCT is for scripts: the exit status is 3 if "
	  "a group or function that differs has grown, minus its error, by more than PCT percent of all "
	  "CPU time of OLD.",
	  cmd_diff },
	{ "compare", "FILE PPROF | -p PID URL",
	  "show whether a recording and a CPU profile of runtime/pprof agree",
	  "Both should be of the same program and the same time; of the recording the time of the "
	  "pprof file is used, and it is shown as runtime/pprof would have recorded it. Two recordings, "
	  "or two pprof files, can be compared too. A file that is no recording is read as pprof.\n\n"
	  "-p records a process while the profile at URL is taken, such as "
	  "localhost:6060/debug/pprof/profile?seconds=10, which is the path if there is none, and keeps "
	  "both files.\n\n"
	  "Shares of all CPU time are compared, function by function and for each label that both "
	  "have, with the sampling error, see gostrobe help diff. The distance sums them up: it is the "
	  "part of the CPU time that one of the two has in other functions than the other. Two samples "
	  "of the same truth have a distance too, and what it would be is found by drawing from both "
	  "together. The exit status is 3 if they disagree: if a row differs by more than chance "
	  "explains, or the distance is more than 1.5 times that of 99 of 100 samples.",
	  cmd_compare },
	{ "trace", "(-p PID FUNC… | FUNC… -- COMMAND [ARG…])",
	  "print each call of a function: when, by which goroutine, on which thread",
	  "FUNC is the full name of a function, a glob such as net/http.*, or /REGEX/; symbolize --list "
	  "lists them. Each call is a line, as it is made: the time, the goroutine's id, the thread's, the "
	  "function that the goroutine runs, and the one that it has called. The exit status is 1 if "
	  "there was none.\n\n"
	  "Where FUNC is inlined, its copies are probed too, if it is clear where they begin. Their "
	  "calls stand apart, marked with \u2248: the compiler moves and merges parts of copies, so their "
	  "number is approximate.\n\n"
	  "Needs Linux 5.15, before 6.6 with at most 200 functions and copies, and the same rights as "
	  "record. Only entries of functions and of copies are probed, where the process has the "
	  "bytes of its file. All probes go with gostrobe, however it ends.",
	  cmd_trace },
	{ "top", "(-p PID[,PID…] | -a | FILE)",
	  "show live what goroutines use CPU time for, or replay a recording",
	  "Each second the screen shows the last 10 s: the functions that goroutines run, with their CPU "
	  "time (100% is one CPU), how it was spread over the last minute, and the path that takes the "
	  "most of it. Enter opens a row: its goroutines, then their functions, then the lines of one. Tab "
	  "shows a flame graph instead. / filters, s sorts, g changes the grouping, z freezes, left and "
	  "right go back and forth in time, + and - change the window, w writes it to a recording, ? lists "
	  "all keys, and q quits.\n\n"
	  "-n prints plain text instead, for scripts, and so does top where there is no terminal that "
	  "could show a screen. -p and -a need the same rights as record.",
	  cmd_top },
	{ "goroutines", "PID",
	  "show every goroutine of a process, also those that wait: for what, and since when",
	  "Goroutines with equal state and stack are one group, the largest first: what they wait for, who "
	  "created them, their labels, and the stack. Functions inside the runtime are left out, as in its "
	  "own tracebacks; -v shows them too, and each goroutine. The goroutines of the runtime itself are "
	  "hidden without --system.\n\n"
	  "The process is looked at twice, a second apart, to tell which goroutines have not run meanwhile. "
	  "\"3 minutes or more\" is what the runtime knows: it notes a time at each garbage collection, which "
	  "it does every 2 minutes at least. A goroutine that runs has no stack that could be read; record "
	  "shows what it does. The process is not stopped: goroutines are read while they stand still, and "
	  "those that never do are counted.\n\n"
	  "--all prints each goroutine as the runtime's own tracebacks and /debug/pprof/goroutine?debug=2 do, "
	  "for what reads those. -f pprof writes what /debug/pprof/goroutine does, with labels.\n\n"
	  "Needs root, CAP_SYS_PTRACE, or the same user where it may trace its processes; no BPF.",
	  cmd_goroutines },
	{ "agent", "(-a | --name GLOB | …) --to URL…",
	  "send profiles of Go processes to where they are kept, for ever",
	  "Each interval one profile of each process goes to each receiver. URL is one of\n\n"
	  "  file:///DIR             files in a directory, of which the newest are kept\n"
	  "  pyroscope+http://HOST   Pyroscope's push.v1\n"
	  "  otlp+http://HOST        OpenTelemetry's profiles\n"
	  "  parca+http://HOST       Parca's WriteRaw\n\n"
	  "All of them take https too, a port and a path. "
	  "Options of a receiver follow its --to. A process belongs to the service that its environment "
	  "names (OTEL_SERVICE_NAME, then service.name in OTEL_RESOURCE_ATTRIBUTES), else to its "
	  "systemd service, its container, or its program. The pprof labels trace_id and span_id, in "
	  "hex, link samples to spans in OpenTelemetry and Pyroscope. Goroutine ids are numbers in the profiles "
	  "and never make series of their own. SIGTERM and Ctrl-C send what is there, within 5 s.\n\n"
	  "--config reads options from a file, by their long names, as if they stood in its place:\n\n"
	  "  all = true\n"
	  "  to = pyroscope+http://localhost:4040\n"
	  "  token = file:/etc/gostrobe/token\n\n"
	  "SIGHUP reads it again: receivers, labels, the interval, and the choice of programs that start "
	  "from then on can change without a restart; what cannot is said. If the file is bad, "
	  "what was before counts. Without --config SIGHUP is as Ctrl-C.\n\n"
	  "Needs the same rights as record.",
	  cmd_agent },
	{ "symbolize", "BINARY | -p PID [ADDR…]",
	  "print the functions at addresses, even of stripped Go programs",
	  "Addresses are hexadecimal addresses of the ELF file, or with -p those of the running "
	  "process. Without any, they are read from stdin, one per line, and each answer is flushed. "
	  "An answer has one line per frame, innermost first, then an empty line:\n\n"
	  "  main.tiny /src/main.go:66 (inlined)\n"
	  "  main.main /src/main.go:12\n\n"
	  "\"?? ??:0\" means that nothing is known at the address. Empty lines are skipped. A line that "
	  "is not an address is reported on stderr, the others are still answered, and the exit status "
	  "is 1. Names are those of Go's own tracebacks, main.F[...]; --list prints them in full.",
	  cmd_symbolize },
	{ "inspect", "PID | -p PID | BINARY",
	  "show how gostrobe finds the current goroutine of each thread (diagnostics)",
	  "For a process it prints one line per thread: the FS base, the address of the g slot, g, m and "
	  "m.curg, the goroutine's id and status, and what the thread is doing. The FS base is read twice, "
	  "from the kernel's task struct and by ptrace, which stops each thread for some microseconds. "
	  "If the two differ, inspect says so and exits with status 1. A thread that a debugger holds is "
	  "read once only. Needs the same rights as record.",
	  cmd_inspect },
	{ "doctor", "", "check whether this machine can record, and what would help",
	  "Each condition is ok, degraded (something will be missing) or fail (recording cannot work, "
	  "and the exit status is 1), with the smallest fix.",
	  cmd_doctor },
	{ "completions", "bash | zsh | fish",
	  "print what completes gostrobe's words in a shell",
	  "For bash: source <(gostrobe completions bash). For zsh, after compinit: source <(gostrobe "
	  "completions zsh). For fish: gostrobe completions fish | source. make install and the Debian "
	  "package put them where the shells look.",
	  cmd_completions },
	{ "help", "[VERB]", "print this, or how to use a verb", NULL, cmd_help },
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

/* What there is to say about an option, behind the table of options. */
static const struct note {
	const char *option, *verb; /* verb NULL: of all others */
	const char *text;
} notes[] = {
	{ "by", "diff",
	  "\nKEY is start, creator (the go statement), label:NAME, class, program or "
	  "none. Several, separated by commas, nest." },
	{ "by", "goroutines",
	  "\nKEY is state, goroutine, start (the function that the goroutine runs), creator (the go "
	  "statement) or label:NAME (a pprof label). Several, separated by commas, nest; state comes "
	  "first." },
	{ "by", NULL,
	  "\nKEY is goroutine, start (the function that the goroutine runs), creator (the "
	  "go statement), label:NAME (a pprof label), class, thread, process, program or "
	  "none. Several, separated by commas, nest: --by creator,goroutine." },
	{ "labels", "agent",
	  "\nPprof labels of the program, and go_start (the function that the goroutine runs) and "
	  "go_created_by. Receivers make a series of each value, so further values of a label than "
	  "--max-values are sent as (other)." },
	{ "labels", NULL,
	  "\n--labels group: goid, go_parent, go_start, go_created_by, the program's own, "
	  "and pid if there are several processes; all: also thread_id, thread_name, cpu and "
	  "pid. Samples with the same stack and labels are one." },
	{ "focus", NULL,
	  "\n--focus and --ignore match the function, file and module of the frames "
	  "that are shown." },
	{ "as-pprof", NULL,
	  "\nDifferences of --as-pprof from runtime/pprof: runtime._GC is shown as "
	  "runtime._System; a scheduler stack that is about to enter or leave C or the "
	  "vDSO may differ; and while a method wrapper itself runs, Go up to 1.20 may "
	  "miss calls that were inlined into its caller." },
	{ 0 },
};

/* Where help_verb() sends the options instead of printing them. */
static struct {
	void (*take)(void *arg, const char *verb, const struct opt *opts);
	void *arg;
} taker;

static void print_formats(void)
{
	puts("\nFormats:");
	for (const struct writer *const *w = writers; *w; w++) {
		printf("  %-28s ", (*w)->name);
		opt_wrap((*w)->help, 31);
	}
}

int help_verb(const char *verb, const struct opt *opts)
{
	const struct verb *v = verb_find(verb);

	if (taker.take) {
		taker.take(taker.arg, verb, opts);
		return STATUS_OK;
	}
	printf("Usage: gostrobe %s [OPTION…] %s\n\n", v->name, v->args);
	opt_wrap(v->summary, 0);
	if (v->text)
		putchar('\n');
	if (v->text)
		opt_wrap(v->text, 0);
	puts("\nOptions (default):");
	opt_help(opts);
	for (; opts->name; opts++)
		for (const struct note *n = notes; n->text; n++)
			if (!strcmp(opts->name, n->option) &&
			    (!n->verb || !strcmp(verb, n->verb))) {
				opt_wrap(n->text, 0);
				break;
			}
	if (v->run == cmd_export)
		print_formats();
	return STATUS_OK;
}

void help_options(void (*take)(void *arg, const char *verb, const struct opt *opts),
		  void *arg)
{
	char *args[] = { NULL, (char[]){ "--help" }, NULL };

	taker.take = take;
	taker.arg = arg;
	for (const struct verb *v = verbs; v->name; v++) {
		if (v->run == cmd_help)
			continue;
		args[0] = (char *)v->name;
		v->run(2, args);
	}
	taker.take = NULL;
}

void help_all(FILE *out)
{
	fputs("gostrobe shows what each goroutine of a running Go program spends CPU time on.\n\n"
	      "  gostrobe PID                 record a process for 10 s and print the report;\n"
	      "                               takes options of record and report\n",
	      out);
	for (const struct verb *v = verbs; v->name; v++) {
		fprintf(out, "  gostrobe %-19s ", v->name);
		print_wrapped(out, v->summary, 80, 31);
	}
	fputs("  gostrobe --version           print the version\n\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 diff --fail-over or\n"
	      "compare found a difference. record -- COMMAND exits with the status of the\n"
	      "command, or 125 if gostrobe itself failed, 126 if the command cannot be\n"
	      "executed, 127 if it does not exist.\n",
	      out);
}

#ifndef GOSTROBE_COMMIT
#define GOSTROBE_COMMIT "unknown"
#endif

int help_version(void)
{
	printf("gostrobe %s (commit %s)\n"
	       "kernel side  modern: Linux 5.15 and later; old: 5.10 and later; calls: 5.15, many at once 6.6\n"
	       "Go           1.13 to 1.%d\n"
	       "formats     ",
	       GOSTROBE_VERSION, GOSTROBE_COMMIT, GO_NEWEST);
	for (const struct writer *const *w = writers; *w; w++)
		printf(" %s", (*w)->name);
	printf("\nlibraries    libbpf %s, libelf %d; libcurl and libmicrohttpd when the agent needs them\n",
	       libbpf_version_string() + 1, _ELFUTILS_VERSION);
	return STATUS_OK;
}

int unknown_command(const char *word)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (similar_is(word, v->name))
			return usage_error(NULL,
					   "unknown command '%s'; you may have meant '%s'",
					   word, v->name);
	return usage_error(NULL, "unknown command '%s'", word);
}

int usage_error(const char *verb, const char *fmt, ...)
{
	char line[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	log_error("%s", line);
	log_info("see: gostrobe help%s%s", verb ? " " : "", verb ? verb : "");
	return STATUS_USAGE;
}

int cmd_help(int argc, char **argv)
{
	const struct verb *v;
	char *args[] = { NULL, "--help", NULL };

	if (argc > 2)
		return usage_error(NULL, "help takes one command");
	v = argc == 2 ? verb_find(argv[1]) : NULL;
	if (argc == 2 && !v)
		return unknown_command(argv[1]);
	if (!v || v->run == cmd_help) {
		help_all(stdout);
		return STATUS_OK;
	}
	args[0] = argv[1];
	return v->run(2, args);
}
