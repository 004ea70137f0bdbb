# gostrobe: `make demo` and `make test` install what they need (Debian, as root) and run;
# plain `make` installs nothing and says what is missing.
#
#   make                  gostrobe
#   make demo             a first profile
#   make install          PREFIX=/usr/local DESTDIR=; make uninstall removes it
#   make clean
#
#   make test             everything that must pass
#   make lint             formatting, layers, sizes; make format formats
#   make analyze          gcc -fanalyzer over the product; minutes
#   make unit             unit tests, sanitized; FILTER=folded or FILTER=folded/escapes
#   make coverage         which lines the unit tests run, per folder and per file
#   make fuzz             FORMAT=gopclntab SECONDS=60
#   make pcs ids step pairs cfi ladder json pgo compare kernels
#                         slower comparisons with what others say, see below
#   make compile_commands.json
#                         for clangd and clang-tidy
#
#   make ARCH=arm64       compiles the kernel side for arm64
#   make SAN=1 …          everything under ASan and UBSan, in a build directory of its own
#   make V=1 …            shows the commands
#   make CFLAGS=-O0 …     other flags build everything anew; HARDEN= leaves out those against attacks

VERSION := 0.1.0
comma   := ,
HOST    := $(shell uname -m | sed 's/aarch64/arm64/')
ARCH    ?= $(HOST)
B       := .build/$(ARCH)$(if $(SAN),-san)$(if $(COV),-cov)
PROG    := $(if $(SAN)$(COV),$(B)/gostrobe,gostrobe)
CC      := gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PREFIX  ?= /usr/local
Q       := $(if $(V),,@)

CFLAGS  ?= $(if $(COV),-Og --coverage,-O2) -g
# Against attacks; a variable apart, so that CFLAGS=-O0 keeps what works without optimization.
FORTIFY := $(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),-D_FORTIFY_SOURCE=2)
HARDEN  ?= $(if $(SAN)$(COV),,-fvisibility=hidden -fstack-protector-strong $(FORTIFY))
RELRO   ?= $(if $(SAN)$(COV),,-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now)
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Werror
FLAGS   := -std=gnu11 -D_GNU_SOURCE -DGOSTROBE_VERSION='"$(VERSION)"' -I. -I$(B) $(WARN) $(HARDEN) \
	   $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
LIBS    := $(RELRO) -lbpf -ldw -lelf -liberty -lzstd -lz -llzma -lprotobuf-c -lZydis -lseccomp -linih -lncursesw -ltinfo -lm -pthread $(if $(SAN),-fsanitize=address$(comma)undefined)

SRC     := $(sort $(wildcard symbolizer/*.c output/*.c profiler/*.c profiler/*/*.c))
PROTO   := $(patsubst %.proto,$(B)/%.pb-c,$(notdir $(wildcard output/*.proto profiler/agent/*.proto)))
OBJ     := $(SRC:%.c=$(B)/%.o) $(PROTO:%=%.o)
LIBOBJ  := $(filter-out $(B)/profiler/main.o,$(OBJ))
TESTSRC := $(sort $(wildcard tests/unit/*.c))
TESTOBJ := $(TESTSRC:%.c=$(B)/%.o)
FUZZ    := $(filter-out cut_go,$(sort $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))))
GO      := $(firstword $(shell command -v go) $(wildcard /usr/local/go/bin/go /usr/lib/go-1.*/bin/go))

.PHONY: all bpf demo help test check test-programs unit coverage pcs step cfi pairs ids ladder json pgo compare kernels lint format fuzz analyze install uninstall dist deb clean FORCE setup setup-test
.SECONDARY:
.DELETE_ON_ERROR:

# For another architecture: the kernel side, as far as it goes without a cross compiler.
all: $(if $(filter $(HOST),$(ARCH)),$(PROG),bpf)

$(PROG): $(OBJ)
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# What plain `make` needs, asked for once, before the first compiler error would say it worse.
$(B)/needs: tools/setup
	@tools/setup --check build
	@mkdir -p $(@D) && touch $@

# Changes when the compiler or its flags do: then everything is built anew.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $(LIBS))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $(LIBS))' >$@
FORCE:

# The same for the commit, which only the help names.
$(B)/commit: FORCE
	@mkdir -p $(@D)
	@tools/commit | cmp -s - $@ || tools/commit >$@
$(B)/profiler/cmd/help.o: $(B)/commit
$(B)/profiler/cmd/help.o: FLAGS += -DGOSTROBE_COMMIT='"$(shell tools/commit)"'

$(B)/%.o: %.c $(B)/needs $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CFLAGS) $(FLAGS) -MMD -MP -c -o $@ $<

bpf: $(B)/sample.bpf.o $(B)/threads.bpf.o

$(B)/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) $(B)/needs
	@mkdir -p $(@D)
	@echo "  BPF     $<"
	$(Q)$(CLANG) -target bpf -D__TARGET_ARCH_$(ARCH:x86_64=x86) -O2 -g -Wall -Wextra -Werror \
		-Wno-unused-parameter \
		-Wno-gnu-variable-sized-type-not-at-end -mcpu=v3 -I. -I/usr/include/$(shell uname -m)-linux-gnu -c -o $@ $<

$(B)/%.skel.h: $(B)/%.bpf.o
	@echo "  SKEL    $@"
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

$(B)/profiler/kernel/collect.o: $(B)/sample.skel.h
$(B)/profiler/kernel/threads.o: $(B)/threads.skel.h

# The page's script: its files, in one function.
PAGE_JS := $(patsubst %,output/page/%.js,base data diff groups trees state light graph describe grid inframe rows list timeline heat ranges links \
	   actions fragment around main)
$(B)/page.js: $(PAGE_JS)
	@mkdir -p $(@D)
	$(Q)(echo '(() => {'; echo '"use strict";'; cat $^; echo '})();') >$@

$(B)/page_assets.h: tools/embed output/page.html $(B)/page.js output/page.css
	@mkdir -p $(@D)
	@echo "  EMBED   $@"
	$(Q)tools/embed page_html=output/page.html page_js=$(B)/page.js page_css=output/page.css >$@

$(B)/svg_assets.h: tools/embed output/svg.js output/svg.css
	@mkdir -p $(@D)
	@echo "  EMBED   $@"
	$(Q)tools/embed svg_js=output/svg.js svg_css=output/svg.css >$@

$(B)/output/svg.o: $(B)/svg_assets.h

$(B)/output/html.o $(B)/tests/unit/html.o: $(B)/page_assets.h

# Names of system calls, by number.
$(B)/syscalls.h: $(B)/needs
	$(Q)(echo 'static const char *const syscall_names[] = {'; echo '#include <asm/unistd.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/[\2] = "\1",/p' | sort -u -t] -k1,1; echo '};') >$@

$(B)/profiler/live/files.o: $(B)/syscalls.h

vpath %.proto output profiler/agent
$(B)/%.pb-c.c $(B)/%.pb-c.h: %.proto $(B)/needs
	@echo "  PROTO   $<"
	$(Q)protoc-c --c_out=$(B) --proto_path=$(<D) $<

$(B)/%.pb-c.o: $(B)/%.pb-c.c $(B)/flags
	@echo "  CC      $<"
	$(Q)$(CC) $(CFLAGS) $(FLAGS) -c -o $@ $<

$(B)/output/pprof.o $(B)/output/pprof_labels.o $(B)/profiler/cmd/export.o $(B)/tests/unit/pprof.o \
$(B)/profiler/profile/pprof_read.o $(B)/tests/unit/pprof_read.o: $(B)/profile.pb-c.h
$(B)/profiler/agent/encode.o $(B)/profiler/agent/halves.o $(B)/profiler/agent/receiver.o: $(B)/profile.pb-c.h
$(B)/profiler/agent/otlp.o $(B)/tests/unit/encode.o: $(B)/profile.pb-c.h $(B)/otlp.pb-c.h
$(B)/profiler/agent/parca.o: $(B)/parca.pb-c.h
$(B)/profiler/agent/pyroscope.o: $(B)/push.pb-c.h
$(B)/output/perfetto.o $(B)/output/perfetto_intern.o $(B)/tests/unit/perfetto.o: $(B)/perfetto.pb-c.h

-include $(OBJ:.o=.d) $(TESTOBJ:.o=.d) $(B)/tests/oracle/check_pcs.d $(B)/tests/fuzz/cut_go.d $(B)/tests/oracle/step.d $(B)/tests/oracle/stop.d $(B)/tests/oracle/cfi.d $(B)/tests/oracle/recordings.d $(B)/tests/e2e/page/recording.d

# Tests

$(B)/unit-tests: $(TESTOBJ) $(LIBOBJ)
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS) -lcriterion

setup:
	@tools/setup build go

setup-test:
	@tools/setup build go test vm
	@tools/readers
	@tools/setup page || true # chromium; its tests are skipped without it

# The whole: installs, builds plain and sanitized, lints, runs the unit tests under ASan and UBSan,
# then the end-to-end tests against the real kernel with both programs.
test: setup-test
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory check

check:
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory SAN=1 all test-programs
	@tests/run

test-programs: $(B)/unit-tests $(B)/check-pcs $(B)/step $(B)/stop $(B)/cfi $(B)/recordings $(B)/page-recording

# The unit tests under ASan and UBSan: make unit FILTER='folded/*'; without FILTER all of them.
FILTER  ?= *
unit:
	@$(MAKE) --no-print-directory SAN=1 .build/$(ARCH)-san/unit-tests
	@ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
		.build/$(ARCH)-san/unit-tests --color=never -j2 --filter '$(if $(findstring /,$(FILTER)),$(FILTER),$(FILTER)/*)'

# The lines of each file that the unit tests run (tools/coverage).
coverage:
	@$(MAKE) --no-print-directory COV=1 .build/$(ARCH)-cov/unit-tests
	@tools/coverage .build/$(ARCH)-cov

# Our names of a program's code beside those that its own runtime gives; of the product only what that checks.
$(B)/check-pcs: $(B)/tests/oracle/check_pcs.o $(filter $(B)/symbolizer/% $(B)/profiler/base/%,$(OBJ))
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# Our stacks at every instruction of a program beside the calls that it makes.
$(B)/step: $(B)/tests/oracle/step.o $(LIBOBJ)
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# The same at any moments of a process, beside what its own profiler records of them.
$(B)/stop: $(B)/tests/oracle/stop.o $(LIBOBJ)
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# Our C unwinder beside libunwind, which only this links.
$(B)/cfi: $(B)/tests/oracle/cfi.o $(LIBOBJ)
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS) -lunwind-x86_64

# Recordings of chance, for tests/oracle/check-json.
$(B)/recordings: $(B)/tests/oracle/recordings.o $(LIBOBJ)
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# Recordings of given stacks, for tests/e2e/page/check.
$(B)/page-recording: $(B)/tests/e2e/page/recording.o $(LIBOBJ)
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# For tools/bench/symbolize.
$(B)/bench-symbolize: $(B)/tools/bench/symbolize.o $(LIBOBJ)
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# Every STRIDE-th address, with every Go that can be had, in each of MODES (tests/oracle/check-pcs).
PCS_GO  ?= 1.13.15 1.14.15 1.15.15 1.16.15 1.17.13 1.18.10 $(wildcard /usr/lib/go-1.*/bin/go) 1.20.14 1.21.13 1.22.12 \
	   1.23.12 1.24.13 1.25.14 $(GO) 1.27.4
STRIDE  ?= 1
pcs: $(B)/check-pcs
	@tools/setup pcs || true # linkers; those not there are skipped
	@MODES="$(MODES)" tests/oracle/check-pcs $(B)/check-pcs $(STRIDE) $(PCS_GO)

# To the end, with every Go since 1.17 that can be had (tests/oracle/check-steps).
STEP_GO ?= 1.17.13 1.18.10 $(wildcard /usr/lib/go-1.*/bin/go) 1.20.14 1.21.13 1.22.12 1.23.12 1.24.13 1.25.14 $(GO) 1.27.4
step: $(B)/step
	@MODES="$(MODES)" tests/oracle/check-steps $(B)/step 0 $(STEP_GO)

# Every row of the tables of C libraries and of programs, SAMPLES whole stacks of each (tests/oracle/check-cfi).
cfi: $(B)/cfi
	@tools/setup cfi || true # hugo; it is skipped if it is not there
	@tests/oracle/check-cfi $(B)/cfi 1 $(SAMPLES)

# Each kind of work with every Go since 1.17 that can be had, SAMPLES of each (tests/oracle/check-pairs).
SAMPLES ?= 1500
pairs: all $(B)/stop
	@tests/e2e/run build
	@KINDS="$(KINDS)" tests/oracle/check-pairs $(B)/stop .build/e2e/check $(SAMPLES) $(STEP_GO)

# Who is who in each of MODES with every Go that can be had (tests/oracle/check-ids).
ids: all
	@tests/e2e/run build
	@MODES="$(MODES)" tests/oracle/check-ids .build/e2e/check $(PCS_GO)

# What -pgo inlines with our profiles, beside what it does with those of the runtime (tests/oracle/check-pgo).
PGO_GO  ?= $(GO) 1.27.4
pgo: all
	@tests/oracle/check-pgo ./$(PROG) $(PGO_GO)

# Whether the verdicts of compare can be trusted; needs a quiet machine.
compare: all
	@tests/oracle/check-compare

# Programs as they are published, from npm and Debian.
ladder: all
	@tests/oracle/ladder $(PROG)

# The JSON of many views beside the schemas in docs/ (tests/oracle/check-json).
json: all $(B)/recordings
	@tests/oracle/check-json $(B)/recordings ./$(PROG)

# Under Debian's kernels, 5.10 to 6.12, in an emulated machine; what runs there, it runs slowly.
KERNELS ?= bullseye bookworm trixie
kernels: all
	@tests/e2e/run build
	@for k in $(KERNELS); do echo "== $$k"; tools/kernel $$k env E2E_BUILT=1 E2E_SECONDS=900 tests/e2e/run \
		labels prometheus all kill9 bad-input inspect namespaces doctor || exit 1; done

lint:
	@tools/check-layers
	@tools/lint

# What gcc finds by following paths through a function.
analyze:
	@for f in $(SRC); do $(CC) $(CFLAGS) $(FLAGS) -fanalyzer -c -o /dev/null $$f || exit 1; done

# Of all that make builds from C with flags of its own.
compile_commands.json: FORCE
	@for f in $(SRC) $(TESTSRC) $(wildcard tests/oracle/*.c); do \
		printf '%s{"directory":"%s","file":"%s","command":"%s"}\n' "$${comma:-[}" "$(CURDIR)" "$$f" \
			'$(subst ','\'',$(subst ",\",$(CC) $(CFLAGS) $(FLAGS))) -c '"$$f"; \
		comma=,; done >$@; echo ']' >>$@

format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

# One fuzzer: make fuzz FORMAT=gopclntab SECONDS=60; without FORMAT all of them.
FORMAT  ?= $(FUZZ)
SECONDS ?= 60
fuzz:
	@tools/setup build fuzz
	@$(MAKE) --no-print-directory $(B)/cut-go $(FORMAT:%=$(B)/fuzz/%)
	@for f in $(FORMAT); do tests/fuzz/run $(B)/fuzz/$$f $(SECONDS) || exit 1; done

$(B)/cut-go: $(B)/tests/fuzz/cut_go.o $(filter $(B)/symbolizer/% $(B)/profiler/base/%,$(OBJ))
	@echo "  LINK    $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

$(B)/fuzz/%: tests/fuzz/%.c $(filter-out profiler/main.c,$(SRC)) $(PROTO:%=%.c) $(B)/page_assets.h $(B)/svg_assets.h $(B)/syscalls.h $(B)/sample.skel.h $(B)/threads.skel.h
	@mkdir -p $(@D)
	@echo "  FUZZ    $@"
	$(Q)$(CLANG) -g -O1 $(filter-out -Werror $(FORTIFY),$(FLAGS)) -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(filter %.c,$(filter-out profiler/cmd/%,$^)) $(LIBS)

# A first profile

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

demo: setup
	@$(MAKE) --no-print-directory all
	@tools/demo

UNITS   ?= $(PREFIX)/lib/systemd/system
SHARE   := $(DESTDIR)$(PREFIX)/share
# where Debian's shells look
BASH    := $(SHARE)/bash-completion/completions/gostrobe
ZSH     := $(SHARE)/zsh/vendor-completions/_gostrobe
FISH    := $(SHARE)/fish/vendor_completions.d/gostrobe.fish

install: all
	install -D -m 755 gostrobe $(DESTDIR)$(PREFIX)/bin/gostrobe
	install -D -m 644 -t $(SHARE)/doc/gostrobe README.md LICENSE tools/agent.conf docs/*
	install -d $(DESTDIR)$(UNITS)
	sed 's|@PREFIX@|$(PREFIX)|g' tools/gostrobe-agent.service >$(DESTDIR)$(UNITS)/gostrobe-agent.service
	tools/manual ./gostrobe $(B)/manual
	install -D -m 644 -t $(SHARE)/man/man1 $(B)/manual/man1/*
	install -D -m 644 -t $(SHARE)/man/man5 $(B)/manual/man5/*
	install -d $(dir $(BASH) $(ZSH) $(FISH))
	./gostrobe completions bash >$(BASH)
	./gostrobe completions zsh >$(ZSH)
	./gostrobe completions fish >$(FISH)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/gostrobe $(DESTDIR)$(UNITS)/gostrobe-agent.service
	rm -f $(SHARE)/man/man1/gostrobe.1 $(SHARE)/man/man1/gostrobe-*.1 $(SHARE)/man/man5/gostrobe-recording.5
	rm -f $(BASH) $(ZSH) $(FISH)
	rm -rf $(SHARE)/doc/gostrobe

# Packages. The archive is the same, byte for byte, whoever makes it of a commit.

dist:
	@mkdir -p .build
	git archive --prefix=gostrobe-$(VERSION)/ HEAD | gzip -n9 >.build/gostrobe-$(VERSION).tar.gz
	@sha256sum .build/gostrobe-$(VERSION).tar.gz

deb:
	@tools/deb $(VERSION)

clean:
	rm -rf .build gostrobe
