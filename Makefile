# Targets for people. Each checks for what it needs, installs it where it may (Debian, as root), and says so.
SHELL := /bin/sh
PREFIX ?= /usr/local
BUILD := swift build -c release --static-swift-stdlib --disable-local-rpath --scratch-path .build-static --product bulla

# The big ledger of `make bench`; below 1000 the run only shows that everything works, and PERFORMANCE.md stays as it is.
MEGABYTES ?= $(if $(QUICK),50,1000)
BENCH := swift build -c release --package-path Benchmarks --scratch-path .build-bench

.PHONY: help demo test check coverage bench install need-swift need-judge need-strace need-yardsticks

help:
	@echo "make demo     build, record a real run, tamper with a copy, and see it caught (nothing is installed)"
	@echo "make test     everything that can be tested here, with fast SHA-256 and without; no network but for packages"
	@echo "make check    format, warnings, house rules"
	@echo "make coverage line and region coverage of floors 1 to 3, and what no test reaches"
	@echo "make bench    measure beside openssl, SQLite and a raw write loop, and write PERFORMANCE.md (QUICK=1: a small run, and do not)"
	@echo "make install  one binary to PREFIX/bin (PREFIX=$(PREFIX))"

demo: need-swift
	@$(BUILD)
	@sh tools/demo.sh "$$($(BUILD) --show-bin-path)/bulla"

# Heavy suites run optimised; debug code is ten times slower and tests the same. They run twice: with what the processor
# has for SHA-256, and without.
test: need-swift need-judge need-strace
	swift build -c release --build-tests
	swift test -c release --skip-build
	BULLA_SHA256=portable swift test -c release --skip-build

check: need-swift need-judge
	sh tools/check.sh

coverage: need-swift need-judge need-strace
	sh tools/coverage.sh

bench: need-swift need-yardsticks
	@$(BUILD)
	@$(BENCH)
	@"$$($(BENCH) --show-bin-path)/Benchmarks" "$$($(BUILD) --show-bin-path)/bulla" $(MEGABYTES) .build-bench

install: need-swift
	$(BUILD)
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 "$$($(BUILD) --show-bin-path)/bulla" "$(DESTDIR)$(PREFIX)/bin/bulla"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/bulla; completions: bulla --generate-completion-script bash|zsh|fish"

need-swift:
	@command -v swift >/dev/null || { echo "make: Swift 6.2 or later is needed: https://www.swift.org/install" >&2; exit 1; }

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
