.DEFAULT_GOAL := help
SHELL := /bin/bash

# How long each fuzz target runs.
FUZZTIME ?= 1s
export FUZZTIME

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## the whole product on this machine; prints the address and who can sign in
	bin/crmgate demo

# What `crmgate version` shows before Caddy's own version: the latest tag and the commit.
VERSION ?= $(shell git describe --tags --long --always --abbrev=12 --dirty 2>/dev/null || echo unknown)

# One static file that depends on the commit and on Go's version alone: not on the directory, nor on a C compiler.
.PHONY: build
build: ## build bin/crmgate
	CGO_ENABLED=0 go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X 'github.com/caddyserver/caddy/v2.CustomVersion=crmgate $(VERSION), Caddy'" -o bin/crmgate ./cmd/crmgate

.PHONY: package
package: build ## a Debian package, an RPM and their bill of materials in dist/
	packaging/package bin/crmgate dist

.PHONY: test
test: ## all that CI runs: setup, arch, fmt, unit, race, fuzz, e2e, lint
	@.ci/steps all

.PHONY: setup arch vet unit race fuzz e2e lint
setup: ## install what the tests need (as root or with sudo)
	@.ci/steps setup
arch: ## the house rules on the source itself
	@.ci/steps arch
vet: ## go vet alone; it is a part of lint
	@.ci/steps vet
unit: ## unit tests that the race detector would tell nothing more about
	@.ci/steps unit
race: ## unit tests of what goroutines share, under the race detector
	@.ci/steps race
fuzz: ## every fuzz target for FUZZTIME (1s; `make fuzz FUZZTIME=60s` before a release)
	@.ci/steps fuzz
e2e: ## end-to-end tests with real software
	@.ci/steps e2e
lint: ## golangci-lint, pinned in internal/tools
	@.ci/steps lint

.PHONY: fmt
fmt: ## format the source
	go tool -modfile=internal/tools/go.mod golangci-lint fmt

.PHONY: bench
bench: ## benchmarks; compare two runs with benchstat
	go test -run '^$$' -bench . -benchmem ./internal/... ./modules/command

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist .cache
