# Targets for people. Each checks for what it needs, installs it where it may (Debian, as root), and says so.
SHELL := /bin/sh
PREFIX ?= /usr/local
# What people use. It exports no symbols, and holds the C++ library where that can be linked: so it starts in five sixths of the time;
# and the C library where that can be linked at a random address (tools/static-pie.sh): a seventh less again.
# Generic types are made by calls, and not from their names, for which the runtime searches all conformances: so `append` takes a
# quarter fewer instructions.
LIBRARIES := $(CURDIR)/.build-static/libraries
STATIC := swift build -c release --static-swift-stdlib --disable-local-rpath --scratch-path .build-static \
	-Xlinker --no-export-dynamic -Xswiftc -L$(LIBRARIES) $$(cat $(LIBRARIES)/static-pie) \
	-Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors
BUILD := $(STATIC) --product bulla

# The big ledger of `make bench`; below 1000 the run only shows that everything works, and PERFORMANCE.md stays as it is.
MEGABYTES ?= $(if $(QUICK),50,1000)
SAMPLES := $(STATIC) --product Samples
BENCH := swift build -c release --package-path Benchmarks --scratch-path .build-bench

# The test build: optimised, because debug code is ten times slower and tests the same; with the defects that tests must notice.
TEST_BUILD := swift build -c release --build-tests --traits PlantedDefects
TEST := swift test -c release --skip-build --traits PlantedDefects
TORTURE := .build/release/Torture
# How long `make torture` runs; what it did is kept by its seed, and the same seed goes on from there.
MINUTES ?= 60

.PHONY: help demo test test-build check canaries torture coverage bench install
.PHONY: need-swift need-judge need-strace need-yardsticks

help:
	@echo "make demo      build, record a real run, tamper with a copy, and see it caught (nothing is installed)"
	@echo "make test      everything that can be tested here, with faults, fuzzing and sanitizers; no network but for packages"
	@echo "make check     format, warnings, house rules"
	@echo "make canaries  plant one defect after the other, and print which test notices it"
	@echo "make torture   the faults of make test in much larger numbers, for MINUTES=$(MINUTES); SEED=N resumes; writes TORTURE.md"
	@echo "make coverage  lines and regions of floors 1 to 3 that the tests reach"
	@echo "make bench     measure beside openssl, SQLite and a raw write loop, and write PERFORMANCE.md (QUICK=1: a small run, and do not)"
	@echo "make install   one binary to PREFIX/bin (PREFIX=$(PREFIX))"

demo: need-swift
	@$(BUILD)
	@sh tools/demo.sh "$$($(BUILD) --show-bin-path)/bulla"

# What computes seals runs twice: with what the processor has for SHA-256, and without.
test: test-build
	$(TEST)
	BULLA_SHA256=portable $(TEST) --filter 'LedgerFormatTests|LedgerTests|BullaTests|FuzzTests'
	$(TORTURE) --level test --bulla "$$($(BUILD) --show-bin-path)/bulla"
	sh tools/sanitizers.sh

# The binary for use is built too: tests look that no planted defect is in it, and the stages of `torture` run with it.
test-build: need-swift need-judge need-strace
	$(BUILD)
	$(TEST_BUILD)
	sh tools/fuzz.sh build

check: need-swift need-judge
	sh tools/check.sh

canaries: test-build
	$(TORTURE) canaries

torture: test-build
	$(TORTURE) --level torture --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) --state .build-torture --report TORTURE.md \
		--bulla "$$($(BUILD) --show-bin-path)/bulla"

coverage: need-swift need-judge need-strace
	sh tools/coverage.sh

bench: need-swift need-yardsticks
	@$(BUILD)
	@$(SAMPLES)
	@$(BENCH)
	@"$$($(BENCH) --show-bin-path)/Benchmarks" "$$($(BUILD) --show-bin-path)/bulla" "$$($(SAMPLES) --show-bin-path)/Samples" \
		$(MEGABYTES) .build-bench

install: need-swift
	$(BUILD)
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 "$$($(BUILD) --show-bin-path)/bulla" "$(DESTDIR)$(PREFIX)/bin/bulla"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/bulla; completions: bulla --generate-completion-script bash|zsh|fish"

need-swift:
	@command -v swift >/dev/null || { echo "make: Swift 6.2 or later is needed: https://www.swift.org/install" >&2; exit 1; }
	@mkdir -p $(LIBRARIES); clang=$$(dirname -- "$$(readlink -f -- "$$(command -v swift)")")/clang; \
		if library=$$("$$clang" -print-file-name=libstdc++.a) && [ -e "$$library" ]; then ln -sf "$$library" $(LIBRARIES)/; fi; \
		sh tools/static-pie.sh "$$clang" $(LIBRARIES) >$(LIBRARIES)/static-pie

# The independent verifier judges in the tests.
need-judge:
	@command -v python3 >/dev/null || sh tools/need.sh python3 python3 required

# Faults at system calls; without it those tests say that they are skipped.
need-strace:
	@command -v strace >/dev/null || sh tools/need.sh strace strace optional

# What the benchmarks compare with.
need-yardsticks:
	@command -v openssl >/dev/null || sh tools/need.sh openssl openssl required
	@command -v sqlite3 >/dev/null || sh tools/need.sh sqlite3 sqlite3 required
	@[ -e /usr/include/sqlite3.h ] || [ -e /usr/local/include/sqlite3.h ] || sh tools/need.sh sqlite3.h libsqlite3-dev required
