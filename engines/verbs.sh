# shellcheck shell=bash disable=SC2154,SC2034 # engines/run sets `verb`, the engines read `remedy`; S, A, m, … are the variables of the command line
# The verbs, and the checks, that are the same on each engine. They rest on what an engine offers:
#   check_all                    fails unless the engine and .env are in order
#   require_up SERVICE           fails unless that runs as well
#   database_runs                tells whether the stack's own database runs
#   start_database               starts it, unless DATABASE_URL names another
#   stop_database                stops it
#   web_runs                     tells whether web does
#   in_new COMMAND...            runs a command as web would, from the present source and settings
#   in_running COMMAND...        runs a command beside the running web
#   pg TOOL [ARGUMENT...]        runs a client program of Postgres on the app's database, as database_role
#   reload_web                   has web's processes replaced
#   install_certificate          hands certificate and key to nginx
#   reload_nginx                 has nginx read its configuration, and the certificate, again
#   check_alive                  fails where a server has died while it is waited for
#   can_open PORT                tells whether nginx could be served there
#   login_port                   prints the port of the demo's provider, nothing where it does not run
#   login_url                    prints where web reaches it
#   stop_login                   ends it, where it runs
#   web_user                     prints, as uid:gid, who owns what web writes in development

# choose_engine: sets `engine`, and, where that is chosen here, `because`.
choose_engine() {
  engine=$(env_get ENGINE)
  because=""
  if [ -z "$engine" ]; then
    if has_data_on_native; then
      engine=native because="as its data is here"
    elif docker_answers; then
      engine=docker because="as a Docker engine answers; the other is ENGINE=native"
    else
      engine=native because="as $why_not; the other is ENGINE=docker"
    fi
  fi
  case "$engine" in docker | native) ;; *) fail "ENGINE=$engine: there is no such engine; there are docker and native" ;; esac
}

# docker_answers: sets `why_not`, and what to do, where it does not.
docker_answers() {
  local answer
  why_not="no Docker engine answers here"
  remedy="start Docker"
  command -v docker >/dev/null || return 1
  answer=$(docker info 2>&1 >/dev/null) && return 0
  case "$answer" in *"ermission denied"*)
    why_not="you may not use the Docker that is here"
    remedy="type sudo usermod -aG docker $(id -un) and log in again"
    ;;
  esac
  return 1
}

has_data_on_native() { [ -f .native/db/PG_VERSION ]; }
runs_on_native() { [ -e .native/run/web.pid ] || [ -e .native/run/nginx.pid ]; }

# has_data_on_docker: where it cannot be asked, the stack that .env places there is taken to have some.
has_data_on_docker() {
  if docker_answers; then
    docker volume inspect "$(env_get COMPOSE_PROJECT_NAME "$(project_name)")_db" >/dev/null 2>&1
  else
    [ -f .env ] && grep -qx 'ENGINE=docker' .env
  fi
}

runs_on_docker() {
  docker_answers &&
    [ -n "$(docker ps --quiet --filter "label=com.docker.compose.project=$(env_get COMPOSE_PROJECT_NAME "$(project_name)")")" ]
}

# check_other_engine: two stacks of one checkout would be after the same port, and each has data of its own.
check_other_engine() {
  local other=docker
  ! "runs_on_$engine" || return 0
  [ "$engine" != docker ] || other=native
  ! "runs_on_$other" || fail "the stack runs on engine $other; type make down ENGINE=$other first"
  if "has_data_on_$other"; then
    say "Engine $other has data of its own, which stays there and is not seen here. To take it along: make backup ENGINE=$other,"
    say "then make restore ENGINE=$engine FILE= with the file that it names. To delete it: make clean ENGINE=$other"
  fi
}

# first_env PORT...: writes .env where there is none, with the first PORT that is free.
first_env() {
  if [ -f .env ]; then
    env_load # another make may have written it since this one began
    return
  fi
  # A database that is there already has the password of the .env that made it.
  ! "has_data_on_$engine" ||
    fail "there is no .env, but a database that an earlier one made: put that .env back, or type make clean, which deletes the data"
  check_number HTTP_PORT 80 65535
  env_create "$engine" "$@"
  say "Wrote .env$([ "$verb" != deploy ] || echo " of a production"), with fresh secrets and ENGINE=$engine${because:+, $because}"
}

# check_services: fails where S names what is none.
check_services() {
  local service
  for service in ${S:-}; do
    case "$service" in
      db | web | nginx) ;;
      login) [ -n "$(login_port)" ] || fail "S=login: it is not running; type make demo-login" ;;
      *) fail "S=$service: there is no such service; there are db, web and nginx, and login after make demo-login" ;;
    esac
  done
}

# own_database: tells whether the app uses the stack's own.
own_database() { [ -z "$(env_get DATABASE_URL)$(env_get DATABASE_URL_FILE)" ]; }

# require_database_url: prints DATABASE_URL as the client programs of Postgres take it.
require_database_url() {
  local url
  [ -z "$(env_get DATABASE_URL_FILE)" ] || fail "only web can read DATABASE_URL_FILE; use a client of your own"
  url=$(env_get DATABASE_URL)
  printf '%s\n' "${url/#postgresql+psycopg2:/postgresql:}"
}

# url_without_password URL: prints it for a command line, which everybody on the machine may read.
url_without_password() {
  local user
  user=$(user_of_url "$1")
  case "$user" in
    *:*) printf '%s\n' "${1%%://*}://${user%%:*}@${1#*://"$user"@}" ;;
    *) printf '%s\n' "$1" ;;
  esac
}

# password_of_url URL: prints its password as it is before it is encoded, else POSTGRES_PASSWORD.
password_of_url() {
  local user
  user=$(user_of_url "$1")
  case "$user" in
    *:*)
      user=${user#*:}
      user=${user//\\/\\\\}
      printf '%b\n' "${user//%/\\x}"
      ;;
    *) env_get POSTGRES_PASSWORD ;;
  esac
}

# user_of_url URL: prints what stands before the @, which a password may have as well.
user_of_url() {
  local rest=${1#*://}
  rest=${rest%%/*}
  case "$rest" in *@*) printf '%s\n' "${rest%@*}" ;; esac
}

# confirm WHAT: asks before WHAT is done.
confirm() {
  [ "${sure:-}" != yes ] || return 0
  [ -t 0 ] || fail "this would $1; to be sure, add sure=yes"
  read -r -p "This will $1. Type yes: " sure || echo
  [ "$sure" = yes ] || fail "nothing was done"
}

# probe: waits until the app, with its database migrated, answers through nginx, and prints the URL.
probe() {
  local host port answer="" suffix="" i
  if out_of_reach; then
    say "Ready: on $(served_host) alone, as HTTP_BIND=$(env_get HTTP_BIND)"
    return
  fi
  host=$(bind_address)
  port=$(env_get HTTP_PORT 80)
  [ "$port" = 80 ] || suffix=":$port"
  ! tls || { port=$(env_get HTTPS_PORT 443) suffix=$(https_suffix); }
  for i in $(seq 100); do
    answer=$(ask_readyz "$host" "$port" 2>/dev/null | head -n 1) || true
    case "$answer" in *" 200 "*) break ;; esac
    check_alive
    [ "$i" -lt 100 ] || fail "nginx does not pass requests on: GET /readyz at $host:$port answers '${answer:-nothing}'"
    sleep 0.2
  done
  say "Ready: $(scheme)://${host/#127.0.0.1/localhost}$suffix/"
}

# ask_readyz HOST PORT: prints the answer of the stack to GET /readyz.
ask_readyz() {
  local request='GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n'
  # shellcheck disable=SC2059 # a format, for its line ends
  if tls; then
    printf "$request" | openssl s_client -connect "$1:$2" -servername localhost -quiet
  else
    exec 3<>"/dev/tcp/$1/$2" && printf "$request" >&3 && cat <&3
  fi
}

verb_reload() {
  require_up nginx
  local i
  if tls; then install_certificate; fi
  reload_nginx
  probe
  if ! tls || out_of_reach; then return; fi
  for i in $(seq 50); do
    ! serves_certificate || break
    [ "$i" -lt 50 ] || fail "nginx still serves another certificate than $(env_get TLS_CERT); type make logs S=nginx"
    sleep 0.2
  done
  check_days
}

verb_migrate() {
  check_all
  local options=()
  [ -z "${m:-}" ] || options+=(--message "$m")
  [ -z "${rename:-}" ] || options+=(--rename "$rename")
  case "${drop:-}" in "") ;; yes) options+=(--drop) ;; *) fail "drop=$drop: say drop=yes, or leave it out" ;; esac
  [ -z "${accept:-}" ] || options+=(--accept "$accept")
  start_database
  in_new python manage.py db evolve ${options[@]+"${options[@]}"}
  # Where root types it, what it has written still belongs to the checkout's owner.
  [ "$(id -u)" != 0 ] || find web/migrations/versions -name '*.py' -exec chown "$(web_user)" {} +
}

verb_downgrade() {
  local name
  check_all
  start_database
  name=$(in_new python manage.py db newest </dev/null) || exit
  confirm "undo the migration $name, with the data that it made room for"
  in_new python manage.py db stepback </dev/null
}

verb_migrations() {
  check_all
  start_database
  in_new python manage.py db revisions </dev/null
}

# use_demo_login PORT: has web sign in with the demo's provider, which the browser reaches at PORT.
use_demo_login() {
  export DEMO_LOGIN_PORT=$1 GAUTH_CLIENT_ID=demo GAUTH_CLIENT_SECRET=demo GAUTH_CLIENT_SECRET_FILE=
  GAUTH_DISCOVERY_URL=$(login_url)/.well-known/openid-configuration
  export GAUTH_DISCOVERY_URL
}

# keep_demo_login: the demo lasts until the next `make up`. A production signs in by the settings of .env.
keep_demo_login() {
  local port=""
  development || return 0
  case "$verb" in up | down | clean | demo-login) ;; *) port=$(login_port) ;; esac
  [ -z "$port" ] || use_demo_login "$port"
}

verb_demo-login() {
  local name port
  [ -d web/app/gauth ] || fail "there is no web/app/gauth to sign in with"
  case "$(env_get APP_SETTINGS config.DevelopmentConfig)" in
    config.DevelopmentConfig) ;;
    *) fail "its provider believes whoever comes, so it is for development alone, and this is APP_SETTINGS=$(env_get APP_SETTINGS)" ;;
  esac
  for name in GAUTH_CLIENT_ID GAUTH_DISCOVERY_URL; do
    [ -z "$(env_get "$name")" ] || fail "$name names a provider already, with which make up signs in; comment it out in .env to try the demo's"
  done
  port=$(login_port)
  [ -n "$port" ] || port=$(HTTP_BIND=127.0.0.1 free_port 9400 9401 9402 9403 9404)
  [ -n "$port" ] || fail "the ports 9400 to 9404 are all taken"
  use_demo_login "$port"
  verb_up
  say "Sign in there as whoever you like, with the provider at http://localhost:$port; make up ends the demo"
}

# database_role: prints the role that the stack's own database is reached as: web's, which owns it, or what as_cluster names.
database_role() { echo "${cluster_role:-$(env_get POSTGRES_USER app)}"; }

# as_cluster COMMAND...: does it as the cluster's own role, a superuser (db/roles.sql).
as_cluster() {
  local cluster_role=${undivided:-cluster}
  "$@"
}

# part_roles: gives a cluster whose own role is web's, as older checkouts made it, a role of its own; if that cannot be
# done, `undivided` is the one role that there is.
part_roles() {
  local own
  own=$(pg psql --no-psqlrc --tuples-only --no-align --command="SELECT rolname FROM pg_roles WHERE oid = 10" </dev/null) || return 0
  [ "$own" = "$(env_get POSTGRES_USER app)" ] || return 0
  say "Taking the rights of a superuser from web's role, $own"
  give_database || give_database || give_database || {
    undivided=$own
    say "Not done, for the reason above: web still connects as a superuser. Type make up again when the database is less busy"
  }
}

# give_database [NAME]: has web's role own the app's database, or another.
give_database() { pg psql --no-psqlrc --dbname="${1:-$(env_get POSTGRES_DB app)}" --set=role="$(env_get POSTGRES_USER app)" <db/roles.sql; }

verb_psql() {
  check_all
  ! own_database || database_runs || fail "db is not running; type make up"
  pg psql
}

verb_shell() {
  require_up web
  in_running python manage.py shell
}

# verb_flask: if web does not run, as with two heads of the migrations, the command runs in a web of its own.
verb_flask() {
  check_all
  words A
  if web_runs; then
    in_running python manage.py ${words[@]+"${words[@]}"}
  else
    with_database in_new python manage.py ${words[@]+"${words[@]}"}
  fi
}

. engines/checks.sh
. engines/backup.sh
. engines/deploy.sh
. engines/doctor.sh
