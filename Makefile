# Needs Go, and for `make test` either Java with Maven or Python. What else a
# target needs is fetched into .tools/ in the versions pinned under
# infra/tools/. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

SOURCES   := $(wildcard *.go events functions infra shared)
FUNCTIONS := $(notdir $(patsubst %/main.go,%,$(wildcard functions/*/main.go)))
VERSION   := $(shell git describe --always --dirty 2>/dev/null || echo dev)

# The deployed binary. go1.x builds of sam take flags from the environment
# only. Without lambda.norpc, -s and -w a binary is nearly twice the size;
# -buildvcs=false keeps a function's bytes the same while its code is.
LAMBDA_ENV  := CGO_ENABLED=0 GOFLAGS="-tags=lambda.norpc -trimpath -buildvcs=false '-ldflags=-s -w'"
LAMBDA_ARCH := GOOS=linux GOARCH=arm64
MAX_BINARY  := 10000000

GO_TOOL := GOFLAGS= go tool -modfile=infra/tools/go.mod
ENGINES := go run ./infra/engines --

# Nothing here may ask or report anything, nor look for AWS credentials.
SAM      := .tools/sam
SAM_ENV  := SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-eu-west-1}
PYTHON   ?= python3

# For one package or test: make test PKG=./shared/ledger RUN=TestCreate
PKG ?= ./...
RUN ?=
FUZZTIME ?= 10s
SEEDS ?= 100000
EXAMPLES ?= 40
DURATION ?= 2m
ENVIRONMENT ?= default
FIRST ?= 1
TEST_FLAGS := -count=1 -timeout=9m $(if $(RUN),-run '$(RUN)')

##@ Every day

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@printf '\nPKG=./shared/ledger and RUN=TestName narrow test, race and bench.\n'

.PHONY: test
# -count=1: a cached pass says nothing about the engines of this run.
test: ## Run every test against real engines, which it starts itself
	$(ENGINES) go test $(TEST_FLAGS) $(PKG)

.PHONY: console-test
# The pictures of docs/images: make console-test SHOTS=/tmp/shots
console-test: ## Drive the console in headless Chromium, which it installs where it may; SHOTS=DIR writes pictures
	chromium=$$(infra/tools/chromium.sh) && cd infra/console/browser && \
	  CHROMIUM=$$chromium GOFLAGS= go test -count=1 -timeout=14m $(if $(RUN),-run '$(RUN)') . $(if $(SHOTS),-shots='$(SHOTS)')

.PHONY: demo
demo: ## Run one payment to its verified callback on this machine
	go run ./infra/local -demo

.PHONY: lint
lint: ## Check formatting, vet and staticcheck
	@files=$$(gofmt -l $(SOURCES)); \
	  if [ -n "$$files" ]; then printf 'gofmt would change:\n%s\n' "$$files"; exit 1; fi
	@echo "gofmt: clean"
	go vet ./...
	@echo "vet: clean"
	$(GO_TOOL) staticcheck ./...
	@echo "staticcheck: clean"

##@ Deeper

.PHONY: test-moto
test-moto: ## Run the adapters' contract suites on moto instead
	go run ./infra/engines -only moto -- go test -count=1 -timeout=9m ./shared/table/dynamo ./shared/queue/sqs

.PHONY: engines-up
engines-up: ## Start the engines with Docker instead of Java: then eval "$$(make engines-env)" && make test
	docker compose up --detach --wait

.PHONY: engines-env
engines-env:
	@echo export AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:18000 AWS_ENDPOINT_URL_SQS=http://127.0.0.1:19324

.PHONY: engines-down
engines-down: ## Stop them
	docker compose down

# Where requests, deliveries and reconcile runs meet in one process.
RACE_PKG := $(addprefix ./shared/,ledger httpapi webhook guard gateway delivery forwarder)

.PHONY: race
race: c-compiler ## Run the tests of shared/ under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(ENGINES) go test -race -count=1 -timeout=20m $(if $(RUN),-run '$(RUN)') $(if $(filter ./...,$(PKG)),./shared/...,$(PKG))

.PHONY: race-core
race-core: c-compiler ## Run the packages that work concurrently under the race detector, as .ci/run does (needs a C compiler)
	CGO_ENABLED=1 go test -race -count=1 -timeout=9m $(RACE_PKG)

.PHONY: c-compiler
c-compiler:
	@command -v "$$(go env CC)" >/dev/null || { echo "race: the race detector needs the C compiler '$$(go env CC)', which is not installed; install gcc (Debian: apt-get install gcc libc6-dev) or set CC"; exit 1; }

.PHONY: fuzz
fuzz: ## Fuzz every fuzz target for FUZZTIME (10s)
	@count=0; \
	for package in $$(grep -rl --include='*_test.go' '^func Fuzz' $(SOURCES) | xargs -r -n1 dirname | sort -u); do \
	  for target in $$(cat "$$package"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' | sort -u); do \
	    echo "fuzz: $$target in $$package"; \
	    go test "./$$package" -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME); \
	    count=$$((count + 1)); \
	  done; \
	done; \
	echo "fuzz: $$count targets"; [ $$count -gt 0 ]

.PHONY: simulate
# Every simulation is seeded: a failing seed names itself and replays exactly.
simulate: ## Run the simulation over SEEDS seeds (100000), from FIRST (1)
	go test -count=1 -timeout=0 -v -run '^TestSimulation$$' ./infra/simulation -seeds=$(SEEDS) -first=$(FIRST)

.PHONY: mutations
mutations: ## Prove that the simulation fails: run it over code broken on purpose
	go test -count=1 -timeout=0 -v -run '^TestMutations' ./infra/simulation -mutations='$(if $(RUN),$(RUN),.)' -nested=$(if $(NESTED),true,false)

# What decides and does no I/O. The rows of a decisions.go are data: the golden
# file beside each names them all, and nothing is mutated there.
MUTATED ?= $(filter-out %_test.go %/number_plans.go,$(wildcard shared/payment/*.go)) \
  $(addprefix shared/delivery/,breaker.go delivery.go outcome.go schedule.go) \
  shared/provider/decision.go $(foreach file,decisions codes submit status report answer,$(wildcard shared/provider/*/$(file).go))

.PHONY: mutation-score
mutation-score: ## Show how many small faults the tests of what decides find; under 90 % is an error (slow); MUTATED=FILE.go for one file
	cd infra/tools && GOFLAGS= go build -o ../../build/mutationscore ./mutationscore
	GOFLAGS= build/mutationscore infra/tools/mutationscore/accepted.txt $(MUTATED)

.PHONY: soak
soak: ## Run the local system under load, faults and kills for DURATION (2m), then compare the books
	go run ./infra/soak -duration $(DURATION)

.PHONY: two-versions
# The default is the last release; before the first it is the revision that last
# changed what is stored.
two-versions: ## Run OLD=revision and this tree at the same time on one store, as a deployment and as its rollback, DURATION (2m) each; then compare the books
	@old='$(OLD)'; [ -n "$$old" ] || old=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || git log -1 --format=%h -- infra/upgrade/testdata); \
	go run ./infra/soak -duration $(DURATION) -old "$$old"; \
	go run ./infra/soak -duration $(DURATION) -old "$$old" -back

.PHONY: bench
bench: ## Run the benchmarks
	go test -run='^$$' -bench=$(if $(RUN),'$(RUN)',.) -benchmem $(PKG)

.PHONY: bench-start
bench-start: ## Measure each function's start, plain and over TLS, warm requests and memory beside one that does nothing
	$(ENGINES) go test -count=1 -v -run '^TestStartTime$$' ./infra/endtoend -starts=25 -warm=400

.PHONY: bench-deliveries
bench-deliveries: ## Measure deliveries per second, and what an app that hangs costs the others
	go build -o build/deliveries ./infra/bench/deliveries
	build/deliveries -store memory -runs 3
	build/deliveries -store sqlite -n 3000 -runs 3
	build/deliveries -store sqlite -live -n 5000 -runs 3
	build/deliveries -fairness -runs 4 -for 15s

.PHONY: rehearse
rehearse: .tools/sam/.installed ## Follow the pages' commands on moto: secrets, deploy, stop, rotate, upgrade, roll back, network, restore, move
	go run ./infra/engines -only moto -- go run ./infra/rehearsal -sam .tools/sam

.PHONY: rehearse-move
rehearse-move: .tools/sam/.installed ## Rehearse the move of docs/deploy.md to another region and account on moto, with payments in flight
	go run ./infra/engines -only moto -- go run ./infra/rehearsal -sam .tools/sam -move

.PHONY: rehearse-migration
rehearse-migration: ## Move to MTN's new platform and back on this machine, with payments in flight
	infra/rehearsal/migrate.sh

.PHONY: rehearse-restore
rehearse-restore: ## Rehearse the restore of docs/deploy.md on moto, which has restores to a point in time
	go run ./infra/engines -only moto -- go test -count=1 -v -run '^TestRestore$$' ./infra/restore

.PHONY: bench-endtoend
RATE ?= 250
bench-endtoend: ## Measure RATE (250) payments a second through the local system, from request to verified callback, all providers
	go run ./infra/bench/endtoend -rate $(RATE)

.PHONY: bench-large
PAYMENTS ?= 1000000
bench-large: ## Measure 100 payments a second through the local system, before and after its file got PAYMENTS (1000000) more
	go run ./infra/bench/endtoend -rate 100 -fill $(PAYMENTS)

.PHONY: bench-memory
bench-memory: DURATION = 1h
bench-memory: ## Print heap and resident memory of the local system over DURATION (1h) of five payments a second
	go run ./infra/bench/endtoend -rate 5 -for $(DURATION) -every 5m

.PHONY: bench-compare
ROUNDS ?= 5
bench-compare: ## Measure OLD=revision and this tree in turns, ROUNDS (5) times, N (10000) deliveries each, and print the medians; LIVE=1 for deliveries over SQLite alone
	@[ -n "$(OLD)" ] || { echo "bench-compare: say which revision: make bench-compare OLD=v0.1.0"; exit 2; }
	N='$(N)' LIVE='$(LIVE)' infra/tools/bench-compare.sh $(OLD) $(ROUNDS)

.PHONY: bench-build
bench-build: ## Measure the first build of the local system, with an empty build cache
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	export GOCACHE=$$dir CGO_ENABLED=0 TIMEFORMAT='%R s, processor time %U s'; \
	echo 'SQLite, with what it needs:'; time go build modernc.org/sqlite; \
	echo 'the rest of the local system:'; time go build -o "$$dir/local" ./infra/local

.PHONY: bench-all
bench-all: bench-start bench-deliveries bench-endtoend bench-large sizes bench-build ## Print every figure of docs/benchmarks.md, but for bench-compare and bench-memory (slow)
	$(ENGINES) go test -count=1 -v -run 'Cost|Tick' ./infra/bench -large-table 1000000
	go test -run='^$$' -bench=. -benchmem ./shared/httpapi
	go test -count=1 -v -run Allocations ./shared/httpapi
	$(ENGINES) go test -count=1 -v -run InitAllocations ./infra/endtoend
	go test -count=1 -v -run Thousand ./shared/gateway
	go test -count=1 -v -run Hanging ./shared/forwarder
	go test -count=1 -v -run Memory ./infra/momoctl -large-replay 1000000
	go run ./infra/bench/neighbours -span 20s

.PHONY: sdks
sdks: ## Pay through MTN's stand-in with published clients, unchanged (fetches them; needs Node and Python)
	infra/standin/sdk/run.sh

.PHONY: schemathesis
# One seed each time: a failure is the code's or the document's, not chance's.
schemathesis: .tools/schemathesis/.installed ## Hold a running gateway against openapi.yaml, EXAMPLES (40) for each operation
	infra/tools/schemathesis.sh --max-examples $(EXAMPLES) --seed $(FIRST)

.PHONY: clients
clients: .tools/clients-python/.installed ## Lint openapi.yaml, make six clients with four generators, compile them and pay with them (fetches them; needs Node, Java with Maven, Python, PHP); CLIENTS=go for one
	infra/clients/run.sh $(CLIENTS)

.PHONY: contract-servers
contract-servers: ## Post what apps and the stand-in are sent to the webhook servers of a provider's own document (fetches Express and Flask)
	go run ./infra/standin/*/contractservers

.PHONY: vuln
vuln: ## Report known vulnerabilities that the code can reach (needs the Go vulnerability database)
	$(GO_TOOL) govulncheck ./...

##@ Deploying

.PHONY: build
build: ## Build every function as it is deployed, into build/
	@[ -n "$(FUNCTIONS)" ] || { echo "build: no functions"; exit 1; }
	@for f in $(FUNCTIONS); do \
	  echo "build: $$f"; \
	  env $(LAMBDA_ENV) $(LAMBDA_ARCH) go build -o build/$$f/bootstrap ./functions/$$f; \
	done

.PHONY: sizes
sizes: build ## Show the binaries' sizes; more than 10 MB is an error
	@for f in $(FUNCTIONS); do \
	  size=$$(wc -c < build/$$f/bootstrap); \
	  printf '%-16s %9d bytes\n' "$$f" "$$size"; \
	  [ "$$size" -le $(MAX_BINARY) ] || { echo "sizes: $$f is over $(MAX_BINARY) bytes"; exit 1; }; \
	done

.PHONY: template
template: .tools/sam/.installed .tools/checkov/.installed ## Check template.yaml, and the example network, with sam, cfn-lint and checkov
	$(SAM_ENV) $(SAM)/bin/sam validate --lint
	$(SAM_ENV) $(SAM)/bin/cfn-lint --append-rules cfn_lint_serverless.rules --include-checks I -- template.yaml infra/network/template.yaml
	@echo "cfn-lint: clean"
	.tools/checkov/bin/checkov --config-file infra/tools/checkov.yaml --file template.yaml infra/network/template.yaml
	@echo "checkov: clean"

.PHONY: sam-build
sam-build: .tools/sam/.installed ## Build what sam deploys, into .aws-sam/
	$(SAM_ENV) $(LAMBDA_ENV) $(SAM)/bin/sam build
	@find .aws-sam/build -name bootstrap -exec ls -l {} +

.PHONY: sam-local
sam-local: .tools/sam/.installed ## Run every event and a payment in Lambda's containers with sam local (needs Docker); ARGS=-serve keeps the API up
	$(LAMBDA_ENV) $(ENGINES) go run ./infra/samlocal -sam $(SAM)/bin/sam $(ARGS)

.PHONY: deploy
deploy: sam-build ## Deploy to the AWS account of the credentials; PARAMETERS="PublicBaseUrl=https://..."; ENVIRONMENT=staging or prod; ARGS=--no-confirm-changeset asks nothing
	SAM_CLI_TELEMETRY=0 $(SAM)/bin/sam deploy --config-env $(ENVIRONMENT) $(ARGS) --parameter-overrides Version=$(VERSION) $(PARAMETERS)

##@ Releasing

.PHONY: release
release: ## Build a release into build/release, twice, and compare: make release VERSION=0.1.0
	go run ./infra/release -version '$(VERSION)' -out build/release $(ARGS)

.PHONY: fixture
fixture: ## Keep what this release stores, for the upgrade tests of later ones: make fixture VERSION=0.1.0
	@[[ '$(VERSION)' =~ ^[0-9]+\.[0-9]+\.[0-9]+$$ ]] || { echo "fixture: say which release: make fixture VERSION=0.1.0"; exit 2; }
	@! git rev-parse --quiet --verify 'refs/tags/v$(VERSION)' >/dev/null || { echo "fixture: v$(VERSION) is tagged, and what it stored is never written anew"; exit 2; }
	go test -count=1 -run '^TestWrite$$' ./infra/upgrade -write='$(VERSION)'
	go test -count=1 ./infra/upgrade

##@ Housekeeping

# An environment is filled in place (it cannot be moved) and marked when done.
.tools/%/.installed: infra/tools/%.txt
	rm -rf .tools/$*
	$(PYTHON) -m venv .tools/$*
	.tools/$*/bin/pip install --quiet --disable-pip-version-check --no-input -r $<
	touch $@

.PHONY: tools-pin
tools-pin: ## Pin every infra/tools/NAME.txt anew from NAME.in
	@for tool in $$(basename -s .in infra/tools/*.in); do \
	  dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	  $(PYTHON) -m venv "$$dir"; \
	  "$$dir/bin/pip" install --quiet --disable-pip-version-check --no-input -r infra/tools/$$tool.in; \
	  { sed -n '/^# /p' infra/tools/$$tool.txt; "$$dir/bin/pip" freeze; } > "$$dir/pinned"; \
	  cp "$$dir/pinned" infra/tools/$$tool.txt; \
	  rm -rf "$$dir"; \
	done

.PHONY: number-plans
number-plans: ## Write the numbering plans anew from libphonenumber's metadata
	cd infra/tools/numberplans && go run . ../../../shared/payment/number_plans.go

.PHONY: clean
clean: ## Remove what was built; .local/ (data) and .tools/ stay
	rm -rf build .aws-sam
