# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`
# The engine `native`: the same three servers, from wheels in venv/, as processes of this user. All that they write is in
# .native/: db (Postgres's data and its socket), run (pid files, gunicorn's socket), nginx (its rendered configuration), log.

python=venv/bin/python

# The variables of libpq that this shell may have would lead its programs to another server.
if own_database; then unset "${!PG@}"; fi

# --- What must hold before anything starts ------------------------------------------------------------------------------

check_platform() {
  [ -z "$(env_get DEPLOY_HOST)" ] || fail ".env: DEPLOY_HOST is for ENGINE=docker"
  case "$(uname -s)" in Linux | Darwin) ;; *) fail "ENGINE=native runs on Linux and macOS; here, use ENGINE=docker" ;; esac
  case "$PWD" in *[:,%\"\$\`\\]* | *$'\n'*) fail "the path $PWD has one of the characters : , % \" \$ \` \\, which the servers do not take; move the checkout" ;; esac
  [ -w . ] || fail "you may not write in $PWD, which belongs to $(owner .)"
}

# What root has started, root alone can go on with; and what root makes beside a user's, that user cannot.
check_state_owner() {
  local stranger
  case "$verb" in
    down | ps | logs | clean | doctor) ;;
    *) [ "$(id -u)" != 0 ] || [ ! -e .native ] || [ "$(owner_ids .native | cut -d : -f 1)" = 0 ] || fail "the stack here is $(owner .native)'s; type make $verb as them" ;;
  esac
  [ "$(id -u)" != 0 ] && [ -e .native ] || return 0
  stranger=$({ find .native venv -maxdepth 2 ! -user "$(id -u)" 2>/dev/null || true; } | sed -n 1p)
  [ -z "$stranger" ] || fail "$stranger belongs to $(owner "$stranger"); type sudo make down, then sudo chown -R $(id -un) .native .env venv"
}

check_port() {
  local port
  for port in $(served_ports); do
    ! serves_on "$port" || continue
    ! can_open "$port" || continue
    can_bind 0 || fail ".env: HTTP_BIND=$(env_get HTTP_BIND) is not an address of this machine"
    listens "$port" || [ "$port" -ge 1024 ] || refuse_port "$port" "is for root alone" ", or let everybody have it: sudo sysctl net.ipv4.ip_unprivileged_port_start=80"
    refuse_port "$port" "is taken"
  done
}

# serves_on PORT: tells whether this checkout's nginx does; what is left of one that died is ended, but not by make doctor.
serves_on() {
  case " $(cat .native/run/port 2>/dev/null) " in *" $1 "*) ;; *) return 1 ;; esac
  has_psutil || return 0
  case "$(state nginx)" in running | starting) return ;; died) [ "$verb" != doctor ] || return 0; stop nginx ;; esac
  return 1
}

# can_open PORT: BSD would let it be opened beside one that is open on every address.
can_open() { can_bind "$1" && ! listens "$1"; }

can_bind() {
  "$(any_python)" - "$(bind_address)" "$1" 2>/dev/null <<'PYTHON'
import socket, sys
probe = socket.socket()
probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
probe.bind((sys.argv[1], int(sys.argv[2])))
PYTHON
}

web_user() { owner_ids web; }

check_all() {
  check_platform
  check_env
  check_state_owner
  case "$verb" in up | demo-login | deploy) check_up ;; esac
  case "$verb" in
    down | ps | logs | clean) has_psutil || venv requirements-native ;; # also where what is new cannot be had
    *) venv requirements-native "$(packages_folder)" ;;
  esac
  case "$verb" in ps | logs | psql | shell | flask) ;; *) take_turn ;; esac
  keep_demo_login
}

# packages_folder: where the packages are locked that web has, or is to have.
packages_folder() { if [ "$verb" = deploy ]; then echo web; else web_folder; fi; }

check_python() { find_python >/dev/null; }

engine_checks() { echo check_platform check_python check_installed check_state_owner check_other_engine check_port check_postgres_user; }

check_installed() { can_run || fail "venv/ does not have the packages of $(packages_folder)/requirements-native.txt; type make up"; }

# can_run: tells whether there are the packages to run the app with.
can_run() { has_psutil && cmp -s "$(packages_folder)/requirements-native.txt" venv/requirements-native.txt; }

check_services_run() {
  local service state states
  states=$("$python" engines/servers.py 2>/dev/null)
  case "$states" in *" running "*) ;; *" died"*) ;; *) return ;; esac
  while read -r service state _; do
    case "$service $state" in
      "login stopped" | web-* | *" running") continue ;;
      "db stopped") own_database || continue ;;
    esac
    note "$service has $state; type make logs S=$service, then make up"
  done <<<"$states"
}

check_sources() {
  local service services="db web nginx" folder
  if ! development; then
    ! web_runs || tell_due
    services=nginx
  fi
  folder=$(mktemp -d)
  for service in $services; do
    [ "$(state "$service" 2>/dev/null)" = running ] || continue
    [ "$("made_of_$service" "$folder" | sha256)" = "$(cat ".native/run/$service.made_of" 2>/dev/null)" ] ||
      note "$service runs from older files or settings than those here; type make up"
  done
  rm -rf "$folder"
}

has_psutil() { "$python" -c 'import psutil' 2>/dev/null; }

# take_turn: waits until no other make changes this stack; a rollout does not wait. The lock is this script's while it runs, as no server inherits it.
take_turn() {
  local try='import fcntl, sys; fcntl.flock(9, fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[1:] else 0))'
  [ -z "${locked:-}" ] || return 0
  make_state
  exec 9>.native/lock
  "$python" -c "$try" once 2>/dev/null || {
    case "$verb" in deploy | rollback) fail "another make is at work on this stack; wait until it is done" ;; esac
    say "Waiting for another make at work on this stack"
    "$python" -c "$try"
  }
  locked=yes
}

make_state() { (umask 077 && mkdir -p .native/run .native/log) || fail "no state can be kept in $PWD/.native"; }

# check_up: what can be told before the packages are installed.
check_up() {
  check_other_engine
  check_port
  check_postgres_user
  show_notes
  [ "$(env_get WEB_REPLICAS 1)" = 1 ] || say "WEB_REPLICAS is for containers; here WEB_WORKERS alone says how many processes serve"
}

require_up() {
  check_all
  [ "$(state "$1")" = running ] || fail "$1 is not running; type make up"
}

# shellcheck source=engines/servers.sh
. engines/servers.sh
# shellcheck source=engines/releases.sh
. engines/releases.sh

# --- The verbs ----------------------------------------------------------------------------------------------------------

# explain SERVICE: shows the last lines that it has logged since its start, but for those of requests, and fails.
explain() {
  local log=.native/log/$1.log began lines
  began=$(cat ".native/run/$1.began" 2>/dev/null) || began=0
  # While a release starts, the one before logs its requests to the same file.
  lines=$(tail -c "+$((began + 1))" "$log" | grep -v '"logger":"app.request"' | tail -n 20) || true
  case "$lines" in *"No space left on device"*) fail "no space is left for $1 in $PWD/.native" ;; esac
  printf -- '--- %s: last lines of its log (%s) ---\n%s\n' "$1" "$log" "$lines" >&2
  fail "not well: $1"
}

check_alive() {
  local service
  [ -n "$(dead_server)" ] || return 0
  sleep 0.2 # between two forks it may have been overlooked
  service=$(dead_server)
  [ -z "$service" ] || explain "$service"
}

dead_server() { "$python" engines/servers.py | awk '($1 == "web" || $1 == "nginx") && ($2 == "died" || $2 == "stopped") && !seen++ { print $1 }'; }

# begin: what goes before all else where there may be no .env yet.
begin() {
  check_platform
  any_python >/dev/null
  first_env 80 8080 8081 8082 8083
}

verb_up() {
  begin
  check_all
  start_database
  if development; then up_development; else up_production; fi
  own_database || stop db
}

up_development() {
  say "Migrating"
  in_new python manage.py db prepare </dev/null || fail "not started, for the reason above; what was running still is"
  prepared=yes
  say "Starting web and nginx"
  if [ -n "${DEMO_LOGIN_PORT:-}" ]; then start login; else stop_login; fi
  test_nginx
  start web
  start nginx
  if tls; then reload_nginx; fi
  probe
}

verb_down() {
  [ -e .native ] || has_psutil || return 0
  check_all
  stop nginx web login db
  say "Stopped; the data stays"
}

verb_restart() {
  local service
  check_services
  require_up nginx
  case "${S:-db}" in *db*) ;; *) ! own_database || require_up db ;; esac
  for service in ${S:-db web nginx ${DEMO_LOGIN_PORT:+login}}; do
    [ "$service" != db ] || own_database || continue
    stop "$service"
    start "$service"
  done
  probe
}

verb_ps() {
  check_all
  printf '%-8s %-8s %-8s %s\n' SERVICE STATE PID LOG
  "$python" engines/servers.py | while read -r service condition pid; do
    case "$service $condition" in "login stopped" | web-*) continue ;; esac
    printf '%-8s %-8s %-8s %s\n' "$service" "$condition" "${pid:--}" ".native/log/$service.log"
  done
}

verb_logs() {
  local service logs
  check_services
  check_all
  logs=$(for service in ${S:-db web nginx login}; do find ".native/log/$service.log" 2>/dev/null || true; done)
  [ -n "$logs" ] || fail "there are no logs yet; type make up"
  # shellcheck disable=SC2086 # several, of names without spaces
  if [ -t 1 ]; then exec tail -n 100 -F $logs; fi
  for service in $logs; do LC_ALL=C sed "s/^/$(basename "$service" .log) | /" "$service"; done
}

verb_clean() {
  [ -e .native ] || return 0
  check_all
  confirm "delete the data of this checkout, in $PWD/.native"
  stop nginx web login db
  [ "$(socket_folder)" = "$PWD/.native/db" ] || rm -rf "$(socket_folder)"
  # Not in one go: what is half deleted must not be taken for a database.
  [ ! -e .native/db ] || mv .native/db ".native/db.old.$$"
  rm -rf .native
  say "Deleted $PWD/.native"
}
