# SPDX-License-Identifier: BSD-2-Clause
# A short front for CMake presets, Ninja and CTest. `make help` lists the targets.
# Variables: ARGS="..." for demo, for bench (--quick, --write; --only WORD: rows beside Kamailio), for coverage (-v),
# for planted (names of faults); SANITIZE=1 for test; FUZZ_SECONDS=20 for fuzz; SEEDS=100 JOBS=2 for survival,
# SEEDS=1200 FROM=1 for sim; JOBS=2 for planted;
# CALLS=200 RATE=20 SEED=0 (by chance) PAUSE=3 for chaos: seconds from a node's return to the next kill;
# REPEAT=1 for interop; PREFIX=/usr/local DESTDIR= for install.
.DEFAULT_GOAL := help
.PHONY: demo install test interop survival sim planted chaos bench fuzz tsan asan-gcc valgrind coverage format check clean help
.NOTPARALLEL:

FUZZ_SECONDS ?= 20
SEEDS ?= 100
JOBS ?= 2
FROM ?= 1
CALLS ?= 200
RATE ?= 20
SEED ?= 0
PAUSE ?= 3
REPEAT ?= 1
PREFIX ?= /usr/local

demo: ## build and show the main job: three calls and a dead proxy
	@tools/need build
	@tools/build release dualtone
	@build/release/dualtone demo $(ARGS)

install: ## build, and put the program and its manual pages under PREFIX
	@tools/need build
	@tools/build release dualtone
	@tools/install build/release/dualtone "$(DESTDIR)$(PREFIX)"

test: ## every check and every test; SANITIZE=1 adds clang with ASan and UBSan
	@tools/need test
	@tools/run-tests dev $(if $(SANITIZE),asan)

interop: ## calls with foreign peers, read by tshark; REPEAT=1 times each
	@tools/need test
	@tools/build dev
	@ctest --test-dir build/dev -R '^interop/' -j 4 --output-on-failure --repeat until-fail:$(REPEAT)

survival: ## every cell of the survival matrix, SEEDS seeds each, without and with losses
	@tools/need test
	@tools/build release test_survival
	@build/release/tests/sim/test_survival --seeds $(SEEDS) --jobs $(JOBS)

sim: SEEDS = 1200
sim: ## random worlds in virtual time: seeds FROM to FROM + SEEDS, at least 200 hours
	@tools/need test
	@tools/build release test_random
	@build/release/tests/sim/test_random --from $(FROM) --seeds $(SEEDS) --jobs $(JOBS) \
	    --list tests/sim/random/seeds.txt --open tests/sim/random/open.txt --keep-going $(if $(filter 1200,$(SEEDS)),--full)
	@echo "1 passed, 0 failed"

planted: ## thirty deliberate faults, one at a time: how many the suite finds; ARGS="NAME..." only these
	@tools/need test
	@tools/planted --jobs $(JOBS) $(ARGS)

chaos: ## real calls over a pair whose proxies are killed: CALLS, RATE, SEED, PAUSE
	@tools/need build
	@tools/build release dualtone chaos
	@tools/chaos build/release $(CALLS) $(RATE) $(SEED) $(PAUSE)

bench: ## build and run the benchmarks
	@tools/need bench
	@tools/build release bench_parsers bench_call bench_register bench_sim bench_relay dualtone
	@tools/bench build/release $(filter --quick --write,$(ARGS))
	@tools/bench-proxy build/release $(ARGS)
	@tools/bench-phone build/release $(filter --quick --write,$(ARGS))

fuzz: ## run each fuzzer for FUZZ_SECONDS on its corpus
	@tools/need test
	@tools/build fuzz
	@tools/fuzz build/fuzz $(FUZZ_SECONDS)

asan-gcc: ## the whole suite under gcc's ASan and UBSan
	@tools/need test
	@tools/run-tests asan-gcc

tsan: ## the rings between threads under ThreadSanitizer
	@tools/need test
	@tools/build tsan test_io_rings
	@ctest --preset tsan -R '^unit/io_rings$$' && echo "1 passed, 0 failed" || \
		{ echo "0 passed, 1 failed"; exit 1; }

valgrind: ## the core's unit tests under memcheck
	@tools/need test
	@tools/need bench
	@tools/valgrind dev

coverage: ## lines and state-table arrows that the tests reach; under 90 % of the core is an error
	@tools/need test
	@tools/need tools
	@tools/build coverage
	@tools/coverage $(ARGS)

format: ## lay out the source as .clang-format says
	@tools/need test
	@find include src tests -name '*.[ch]' -print0 | xargs -0 clang-format -i

check: ## layers, headers, names, format, lint
	@tools/need test
	@tools/build dev
	@tools/check

clean: ## remove what was built
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
