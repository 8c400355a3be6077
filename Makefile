# The verbs of the stack; each means the same on every engine (engines/). GNU make 3.81 or newer.
.DEFAULT_GOAL := help
run := @engines/run

# What is typed arrives as it is: make would expand the dollars in it.
typed := $(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$v))
$(foreach v,$(typed),$(eval override $v := $$(value $v))$(eval export $v))
# What answers, deletes or names is typed: a variable of the shell may happen to be called so.
unexport $(filter-out $(typed),A FIELDS FILE NAME OWNED S T TAG accept back drop fields m name owned rename sure)

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Run
.PHONY: up
up: ## Build, start, migrate and wait until the stack answers; prints its URL
	$(run) up

.PHONY: down
down: ## Stop the stack; the data stays
	$(run) down

.PHONY: restart
restart: ## Restart a service (S=web), or all of them
	$(run) restart

.PHONY: reload
reload: ## Have nginx take up a renewed certificate, without a restart
	$(run) reload

.PHONY: ps
ps: ## Show the services and how they are
	$(run) ps

.PHONY: logs
logs: ## Show the logs, of one service (S=web) or all; follows on a terminal
	$(run) logs

.PHONY: cert
cert: ## Make a certificate to try https with (name=www.example.com)
	$(run) cert

.PHONY: clean
clean: ## Remove the stack and its data; asks first (sure=yes answers)
	$(run) clean

##@ Deploy
.PHONY: deploy
deploy: ## Put this checkout (or the image TAG=) in place of the web that serves, without a failed request
	$(run) deploy

.PHONY: rollback
rollback: ## Go back to the release before (or TAG=), likewise; the schema stays
	$(run) rollback

##@ Data
.PHONY: backup
backup: ## Dump the database into backups/, while it serves
	$(run) backup

.PHONY: restore
restore: ## Restore a dump (FILE=backups/…) into a new database, and keep the old one
	$(run) restore

##@ Develop
.PHONY: module
module: ## Write a module (NAME=book FIELDS="title:string author:references"; OWNED=1: of users)
	$(run) module

.PHONY: migrate
migrate: ## Bring the database to the models; writes revisions where they differ (m="…" names them)
	$(run) migrate

.PHONY: migrations
migrations: ## List the migrations, and where the database stands
	$(run) migrations

.PHONY: downgrade
downgrade: ## Undo the newest migration; asks first (sure=yes answers)
	$(run) downgrade

.PHONY: demo-login
demo-login: ## make up, with a provider that lets anybody sign in as whoever they say
	$(run) demo-login

.PHONY: psql
psql: ## Open the database's own shell
	$(run) psql

.PHONY: shell
shell: ## Open a Python shell with the app and its models
	$(run) shell

.PHONY: flask
flask: ## Run a flask command (A="routes")
	$(run) flask

##@ Check
.PHONY: doctor
doctor: ## Tell what is wrong with settings, machine, stack and database, and what mends it
	$(run) doctor

.PHONY: test
test: ## Run the unit tests and the journey of a user, or some tests (T=tests/unit, T="-k notes")
	$(run) test

.PHONY: test-all
test-all: ## Run every test, on both engines (or ENGINE=docker), and measure coverage
	$(run) test-all

# To bash, SECONDS is a clock.
export BENCH_SECONDS := $(value SECONDS)

.PHONY: bench
bench: ## Measure the speed (ROUNDS=3 SECONDS=8 WORK="list get"); AGAINST=HEAD~1 compares; URL=http://… is another server
	$(run) bench

.PHONY: profile
profile: ## Record a flame graph of web under load (WORK=list SECONDS=10)
	$(run) profile

.PHONY: drill-deploy
drill-deploy: ## Roll out under load, in a copy of the checkout, and count what fails (ROLLOUTS=20 RATE=240)
	$(run) drill-deploy

.PHONY: lint
lint: ## Check code, types, migrations, shell scripts, Dockerfile, compose files and nginx configuration
	$(run) lint

.PHONY: format
format: ## Format the Python code
	$(run) format

.PHONY: audit
audit: ## Look the locked packages up among the known vulnerabilities
	$(run) audit

.PHONY: lock
lock: ## Renew the locked packages from web/requirements*.in
	$(run) lock

# What is no verb, even where a folder has that name.
folders := $(filter-out bench,$(patsubst %/,%,$(wildcard */)))
.PHONY: $(folders)
.DEFAULT $(folders):
	@echo "make: there is no verb '$@'; type 'make' to see them" >&2; exit 2
