# `make` says what there is. `make test` is what has to pass.

GO       ?= go
FUZZTIME ?= 10s
BENCH    ?= .
COUNT    ?= 1
ROUNDS   ?= 6
PACKAGES ?= ./call ./section
BASE     ?= main
TIMEOUT  ?= 40m

# What `make test` does, in this order. To add a step, write a target and put its name here.
TEST_STEPS := needs fmt vet staticcheck cross model weak unit windows

# Everything has to build, tests included, for these.
PLATFORMS := windows/amd64 windows/arm64 windows/386 darwin/arm64 linux/amd64 linux/arm64 linux/386

# The systems with code of their own. staticcheck merges what it finds on each, so
# that a function which only one of them uses is not called unused.
LINT_SYSTEMS := linux windows

# archtest needs the go command; the model is the same on every system; outside has no Windows
# files.
NOT_UNDER_WINE := internal/archtest internal/model examples/outside

# Processes start slowly under Wine: what tests of these do thousands of times on Linux, they do a few times there.
SHORT_UNDER_WINE := call

# The root module and those beside it (bench, for one); tools only pins tools.
MODULES := $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path './.*' -not -path './tools/*' -not -path '*/testdata/*' | sort))

ROOT        := $(CURDIR)
STATICCHECK := $(ROOT)/bin/staticcheck

export GO
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help test lint build fuzz bench bench-compare cover clean needs fmt vet staticcheck cross model weak unit windows

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: $(TEST_STEPS) ## install what the tests need, then every check and every test
	@echo '== all of it passed: $(TEST_STEPS)'

lint: fmt vet staticcheck ## gofmt, go vet, staticcheck

build: ## build everything; the command goes to bin/
	@mkdir -p bin
	$(GO) build ./...
	@if [ -d cmd ]; then set -x; $(GO) build -o bin/ ./cmd/...; fi

needs: ## install what the tests need beyond Go (Debian, Ubuntu), or say what is missing
	@echo '== needs'
	@scripts/install-test-needs.sh

fmt: ## fail if gofmt would change a file
	@echo '== gofmt'
	@files=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .) || exit 1; \
	if [ -n "$$files" ]; then echo 'not formatted; run gofmt -w on:'; echo "$$files"; exit 1; fi

vet: ## go vet in every module
	@set -e; for m in $(MODULES); do \
		echo "== go vet, module $$m"; \
		(cd "$$m" && $(GO) vet ./...); \
	done

staticcheck: ## staticcheck, for every system that has code of its own
	@mkdir -p bin
	@$(GO) build -buildvcs=false -modfile=tools/go.mod -o $(STATICCHECK) honnef.co/go/tools/cmd/staticcheck
	@set -e; for m in $(MODULES); do \
		echo "== staticcheck, $(LINT_SYSTEMS), module $$m"; \
		(cd "$$m" && for os in $(LINT_SYSTEMS); do echo "$$os: GOOS=$$os CGO_ENABLED=0"; done | \
			$(STATICCHECK) -matrix ./...); \
	done

cross: ## build and vet everything for every system
	@set -e; for p in $(PLATFORMS); do \
		echo "== go build and go vet, $$p"; \
		export CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/}; \
		$(GO) build -buildvcs=false ./...; \
		$(GO) vet ./...; \
	done

model: ## explore the protocol's whole state space, and the seeded mistakes; prints the states
	@echo '== go test -v, the model'
	$(GO) test -v -count=1 -timeout $(TIMEOUT) -run 'TestExplore|TestMutations' ./internal/model

weak: ## a build without its checks must fall to the attacks
	@echo '== go test -tags partywall_weak'
	$(GO) test -v -tags partywall_weak -count=1 -timeout $(TIMEOUT) -run TestWeakFalls ./call ./instance ./pe ./section

unit: ## every test, with the race detector where it works
	@set -e; race=$$(scripts/race-flag.sh); for m in $(MODULES); do \
		echo "== go test $$race, module $$m"; \
		(cd "$$m" && $(GO) test $$race -count=$(COUNT) -timeout $(TIMEOUT) ./...); \
	done

windows: ## the Windows tests, under Wine
	@echo '== go test under Wine; not: $(NOT_UNDER_WINE); in short: $(SHORT_UNDER_WINE)'
	@scripts/test-windows.sh -count=$(COUNT) -timeout $(TIMEOUT) \
		$$($(GO) list ./... | grep -v $(NOT_UNDER_WINE:%=-e '/%$$') $(SHORT_UNDER_WINE:%=-e '/%$$'))
	@scripts/test-windows.sh -short -count=$(COUNT) -timeout $(TIMEOUT) $(SHORT_UNDER_WINE:%=./%)

fuzz: ## every fuzz target for FUZZTIME (10s)
	@scripts/fuzz.sh $(FUZZTIME)

bench: ## the benchmarks; BENCH=regexp and COUNT=n choose
	@set -e; for m in $(MODULES); do \
		echo "== go test -bench, module $$m"; \
		(cd "$$m" && $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count=$(COUNT) -timeout $(TIMEOUT) ./...); \
	done

bench-compare: ## the benchmarks here and of BASE (main) in turns; BENCH, ROUNDS=n and PACKAGES choose
	@BASE='$(BASE)' scripts/bench-compare.sh '$(ROUNDS)' '$(BENCH)' $(PACKAGES)

cover: ## run the tests, then write cover.html
	$(GO) test -count=1 -timeout $(TIMEOUT) -coverpkg=./... -coverprofile=cover.out ./...
	$(GO) tool cover -html=cover.out -o cover.html
	@$(GO) tool cover -func=cover.out | tail -n 1

clean: ## remove what the build leaves behind
	rm -rf bin cover.out cover.html
