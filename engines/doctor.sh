# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`, `engine`
# make doctor: what is wrong, each in one line with what mends it. It changes nothing. What keeps `make up` from working is
# found by the very checks of that (they call `fail`); what does not, yet should not stay so, by those here (`note`), which
# `make up` shows as well. Beside the list in verbs.sh, an engine offers:
#   engine_checks        prints the names of its own checks, in their order
#   can_run              tells whether the app can be run for the question
#   check_sources        notes what runs from other files than those of this checkout
#   check_services_run   notes which server is not well

DISK_MINIMUM=1024  # MB
MEMORY_MINIMUM=256 # MB that are free; a Docker engine wants 1024 in all

# The checks that take no time, and need no server.
fast_notes="check_names check_mode check_owners check_days check_disk check_memory"

verb_doctor() {
  found=$(mktemp)
  [ -f .env ] || fail "there is no .env yet; type make up"
  keep_demo_login
  # shellcheck disable=SC2046,SC2086 # lists
  examine $(engine_checks) $env_checks
  # With settings that are wrong, the rest would say the same once more.
  if [ ! -s "$found" ]; then examine check_database check_sources check_served; fi
  # shellcheck disable=SC2086 # a list
  examine $fast_notes check_services_run
  if [ -s "$found" ]; then
    say "$(wc -l <"$found" | tr -d ' ') found"
    rm -f "$found"
    exit 1
  fi
  rm -f "$found"
  say "All is well: settings, machine, $engine, and the database where it runs"
}

# examine CHECK...: shows what each finds, and adds it to the file `found`.
examine() {
  local check
  for check in "$@"; do
    ("$check") 2>&1 | grep "^make doctor: " | grep -vxFf "$found" | tee -a "$found" >&2 || true
  done
}

# note TEXT: tells what is amiss without ending.
note() { if [ "$verb" = doctor ]; then printf 'make doctor: %s\n' "$*" >&2; else say "Note: $*"; fi; }

show_notes() {
  local check
  for check in $fast_notes; do "$check"; done
}

# names_in FILE: the settings that it sets.
names_in() { sed -nE 's/^(export )?([A-Za-z_][A-Za-z0-9_]*)=.*/\2/p' "$1"; }

check_names() {
  local name
  for name in $(names_in .env | sort | uniq -d); do note ".env has $name more than once, of which the last holds; delete the others"; done
  for name in $(names_in .env | sort -u); do
    # Compose, Docker and a file of one's own may have settings of theirs.
    case "$name" in COMPOSE_* | DOCKER_*) continue ;; esac
    grep -qE "^#?${name%_FILE}=" .env.example || grep -qE "[$][{]${name}[:}?]" docker-compose*.yml ||
      note ".env: there is no setting $name; .env.example lists them"
  done
  for name in $(names_in .env.example); do
    # Of a secret another check tells, and those of this machine are not the example's.
    case "$name" in SECRET_KEY | CSRF_SESSION_KEY | POSTGRES_PASSWORD) continue ;; esac
    [ -n "$(env_get "$name")" ] || grep -qE "^(export )?$name=" .env || note ".env lacks $name; add the line $name=$(usual "$name")"
  done
}

# usual NAME: prints what the first make up would write.
usual() {
  case "$1" in
    ENGINE) echo "$engine" ;;
    COMPOSE_PROJECT_NAME) project_name ;;
    WEB_USER) web_user ;;
    *) sed -n "s/^$1=//p" .env.example ;;
  esac
}

check_mode() {
  [ -z "$(find .env -perm -004)" ] || note "everybody on this machine can read the secrets in .env; type chmod 600 .env"
}

check_owners() {
  local stranger
  if [ "$(id -u)" != 0 ]; then
    stranger=$({ find . -maxdepth 4 ! -user "$(id -u)" ! -path './venv*' ! -path './.native*' ! -path './nginx/acme*' 2>/dev/null || true; } | sed -n 1p)
    [ -z "$stranger" ] || note "$stranger belongs to $(owner "$stranger"); type sudo chown -R $(id -un) ."
  fi
  [ "$engine" != docker ] || ! development || [ "$(env_get WEB_USER)" = "$(web_user)" ] ||
    note ".env: WEB_USER=$(env_get WEB_USER) does not own web/, so what web writes would be another's; set WEB_USER=$(web_user)"
}

check_days() {
  local days
  tls && command -v openssl >/dev/null && [ -r "$(env_get TLS_CERT)" ] || return 0
  days=$(days_left)
  case "$days" in
    "") ;;
    -1) note "the certificate $(env_get TLS_CERT) has expired; renew it, then type make reload" ;;
    *) note "the certificate $(env_get TLS_CERT) is good for $days more days; renew it, then type make reload" ;;
  esac
}

check_disk() { check_free "where $PWD is" df -Pk .; }

# check_free WHERE COMMAND...: notes how little is free by what `df -Pk` prints, as COMMAND.
check_free() {
  local free
  free=$("${@:2}" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }')
  [ "${free:-$DISK_MINIMUM}" -ge "$DISK_MINIMUM" ] || note "only $free MB are free $1; make room, $DISK_MINIMUM MB at least"
}

check_memory() {
  local free
  [ "$engine" = native ] && [ -r /proc/meminfo ] || return 0
  free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
  [ "$free" -ge "$MEMORY_MINIMUM" ] || note "only $free MB of memory are free; end something, $MEMORY_MINIMUM MB are wanted at least"
}

# check_served: a certificate that was renewed is served once nginx has read it.
check_served() {
  tls && listens "$(env_get HTTPS_PORT 443)" || return 0
  serves_certificate || note "nginx serves another certificate than $(env_get TLS_CERT); type make reload"
}

# check_database: what the app says of its settings, its database and its migrations.
check_database() {
  local output status=0 line
  can_run || return 0
  if own_database && ! database_runs; then return; fi
  output=$(in_new python manage.py db doctor </dev/null 2>&1) || status=$?
  case "$output" in
    *"doctor: "*) printf '%s\n' "$output" | sed -n 's/^doctor: //p' | while read -r line; do note "$line"; done ;;
    *"Traceback"*)
      line=$(printf '%s\n' "$output" | sed -n 's/^ *File "\(.*\)", line \([0-9]*\).*/\1 line \2/p' | tail -n 1)
      note "the app cannot be loaded: $(printf '%s\n' "$output" | tail -n 1), in $line; mend that"
      ;;
    *) [ "$status" = 0 ] || note "web refuses .env: $(printf '%s\n' "$output" | tail -n 1)" ;;
  esac
}
