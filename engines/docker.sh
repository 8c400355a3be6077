# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`
# The engine `docker`: the services of docker-compose.yml, by Docker Compose.

ENGINE_MINIMUM=25      # for `start_interval` in docker-compose.yml
COMPOSE_MINIMUM=2.24.4 # for `!override` in docker-compose.dev.yml

# Without attestations, which hold the time, an image that is built again from the same files stays the same.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1

compose() { docker compose --profile "$(profile)" "$@"; }

# profile: the stack's own database (db) is not started where .env names another.
profile() { if [ -n "$(env_get DATABASE_URL)$(env_get DATABASE_URL_FILE)" ]; then echo none; else echo db; fi; }

# quietly COMMAND...: shows the command's progress on a terminal; elsewhere, where it fails, its last lines without
# Compose's progress (" Container name  Started").
quietly() {
  if [ -t 2 ]; then
    "$@"
    return
  fi
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || {
    status=$?
    grep -v '^ [A-Z][a-z]* .*  [A-Z][a-z]*$' "$log" | tail -n 40 >&2
  }
  rm -f "$log"
  return "$status"
}

# --- What must hold before anything starts --------------------------------------------------------------------------

check_engine() {
  command -v docker >/dev/null || fail "there is no docker command; install Docker (https://docs.docker.com/get-docker/)"
  local answer version
  if ! answer=$(docker info 2>&1 >/dev/null); then
    case "$answer" in
      *"ermission denied"*) fail "Docker is there, but you may not use it: sudo usermod -aG docker $(id -un), then log in again" ;;
      *) fail "no Docker engine answers; start Docker, then type make $verb again" ;;
    esac
  fi
  version=$(docker version --format '{{.Server.Version}}')
  [ "${version%%.*}" -ge "$ENGINE_MINIMUM" ] || fail "the Docker engine is $version, and must be $ENGINE_MINIMUM or newer"
  version=$(docker compose version --short 2>/dev/null) || fail "there is no Docker Compose (https://docs.docker.com/compose/install/)"
  version=${version#v}
  [ "$(printf '%s\n' "$COMPOSE_MINIMUM" "${version%%-*}" | sort -t . -k 1,1n -k 2,2n -k 3,3n | sed -n 1p)" = "$COMPOSE_MINIMUM" ] ||
    fail "Docker Compose is $version, and must be $COMPOSE_MINIMUM or newer"
}

rootless() { case "$(docker info --format '{{.SecurityOptions}}')" in *rootless*) ;; *) return 1 ;; esac; }

# web_user: who web runs as in development, as uid:gid: the owner of the checkout, whom a rootless engine calls root.
web_user() {
  # shellcheck disable=SC2012 # of `stat` there are two kinds
  if rootless; then echo 0:0; else ls -nd web | awk '{ print $3 ":" $4 }'; fi
}

check_env() {
  local settings files name
  if [ ! -f .env ]; then
    case "$verb" in
      down | clean) # go by the name that the first make up gives
        export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-$(project_name)} POSTGRES_PASSWORD=- APP_SETTINGS=-
        return
        ;;
      *) fail "there is no .env yet; type make up" ;;
    esac
  fi
  env_check
  check_number HTTP_PORT 80 65535
  check_number WEB_REPLICAS 1 100
  case "$(env_get HTTP_BIND)" in *[!0-9a-fA-F.:]*) fail ".env: HTTP_BIND=$(env_get HTTP_BIND) is not an address, such as 127.0.0.1" ;; esac
  case "$(env_get DATABASE_URL)" in *@db | *@db[:/]*) fail ".env: DATABASE_URL names the stack's own database, which is used where it is left out" ;; esac
  [ -r "$(env_get CA_BUNDLE /dev/null)" ] || fail ".env: CA_BUNDLE=$(env_get CA_BUNDLE) cannot be read"
  for name in SECRET_KEY CSRF_SESSION_KEY POSTGRES_PASSWORD; do
    [ -n "$(env_get "$name")$(env_get "${name}_FILE")" ] ||
      fail ".env: $name is empty; put its value back, or a new one such as $(random_secret)"
  done
  settings=$(env_get APP_SETTINGS)
  files=$(env_get COMPOSE_FILE docker-compose.yml)
  case "$settings" in
    config.ProductionConfig | config.StagingConfig)
      case "$files" in *docker-compose.dev.yml*) fail ".env: APP_SETTINGS=$settings goes with COMPOSE_FILE=docker-compose.yml" ;; esac
      ;;
    config.DevelopmentConfig)
      case "$files" in *docker-compose.dev.yml*) ;; *) fail ".env: APP_SETTINGS=$settings goes with COMPOSE_FILE=docker-compose.yml:docker-compose.dev.yml" ;; esac
      ;;
    *) fail ".env: APP_SETTINGS=$settings is unknown; it is config.DevelopmentConfig, config.StagingConfig or config.ProductionConfig" ;;
  esac
}

# check_number NAME DEFAULT MAXIMUM: fails unless NAME is a whole number from 1 to MAXIMUM.
check_number() {
  local value
  value=$(env_get "$1" "$2")
  case "$value" in *[!0-9]* | ?????? | ??????*) value=0 ;; esac
  [ "$value" -ge 1 ] && [ "$value" -le "$3" ] || fail ".env: $1=$(env_get "$1") is not a number from 1 to $3"
}

# check_services: fails where S names what is none.
check_services() {
  local service
  for service in ${S:-}; do
    case "$service" in db | web | nginx) ;; *) fail "S=$service: there is no such service; there are db, web and nginx" ;; esac
  done
}

# A database that is there already has the password of the .env that made it.
check_fresh() {
  docker volume inspect "$(project_name)_db" >/dev/null 2>&1 || return 0
  fail "there is no .env, but a database that an earlier one made: put that .env back, or type make clean, which deletes the data"
}

# A copied .env would make two checkouts share containers and data.
check_owner() {
  local folder
  folder=$(docker ps --all --filter "label=com.docker.compose.project=$(env_get COMPOSE_PROJECT_NAME slipway)" \
    --format '{{.Label "com.docker.compose.project.working_dir"}}' | sed -n 1p)
  if [ -n "$folder" ] && [ "$folder" != "$(pwd -P)" ] && [ -f "$folder/.env" ]; then
    fail ".env: COMPOSE_PROJECT_NAME=$(env_get COMPOSE_PROJECT_NAME) belongs to $folder; give this checkout another name"
  fi
}

check_port() {
  local port
  port=$(env_get HTTP_PORT 80)
  case "$(compose port nginx 8080 2>/dev/null)" in *":$port") return 0 ;; esac
  if listens "$port"; then
    fail "port $port is taken; set another in .env: HTTP_PORT=$(free_port 8080 8081 8082 8083 8084 8085)"
  fi
}

# In development nginx serves the files of the checkout, as a user of its own.
check_static() {
  case "$(env_get COMPOSE_FILE)" in *docker-compose.dev.yml*) ;; *) return 0 ;; esac
  [ -z "$(find web/app/static ! -perm -004)" ] ||
    fail "nginx cannot read web/app/static, which was made under a strict umask; type chmod -R o+rX web/app/static"
}

# check_images: pulls what is missing; that no registry can be reached is told here rather than by a failing build.
check_images() {
  local pair image
  while read -r pair; do
    image=$(env_get "${pair%%=*}" "${pair#*=}")
    docker image inspect "$image" >/dev/null 2>&1 && continue
    say "Pulling $image"
    quietly docker pull "$image" ||
      fail "cannot pull $image; where images come from a mirror, name it in .env: ${pair%%=*}="
  done < <(sed -n 's/^ARG \([A-Z]*_IMAGE=.*\)/\1/p' Dockerfile)
}

check_all() {
  check_engine
  check_env
  check_owner
}

require_up() {
  check_all
  [ -n "$(compose ps --quiet --status running "$1" 2>/dev/null)" ] || fail "$1 is not running; type make up"
}

# --- The verbs ----------------------------------------------------------------------------------------------------------

verb_up() {
  check_engine
  if [ ! -f .env ]; then
    check_fresh
    if rootless; then env_create docker 8080 8081 8082 8083; else env_create docker 80 8080 8081 8082 8083; fi
    say "Wrote .env, with fresh secrets"
  fi
  check_env
  check_owner
  check_static
  check_port
  check_images
  say "Building the images"
  quietly compose build || fail "the images could not be built"
  start_database
  say "Migrating"
  in_new web python manage.py db prepare </dev/null || fail "the database could not be migrated; what was running still is"
  remove_failing
  say "Starting web and nginx"
  quietly compose up --detach --remove-orphans --wait --wait-timeout 150 || explain
  probe
  # The stack's own database, once web uses another.
  [ "$(profile)" = db ] || quietly compose --profile db rm --force --stop db
  prune
}

# prune: removes this checkout's images that newer ones have replaced.
prune() { docker image prune --force --filter "label=com.docker.compose.project=$(env_get COMPOSE_PROJECT_NAME slipway)" >/dev/null; }

# Docker starts a container that fails again and again less and less often; a new one is started at once.
remove_failing() {
  local failing
  failing=$(compose ps --all --format '{{.Service}} {{.State}}' | awk '$2 == "restarting" { print $1 }' | sort -u)
  # shellcheck disable=SC2086 # a list of services
  [ -z "$failing" ] || quietly compose rm --force --stop $failing
}

start_database() {
  [ "$(profile)" = db ] || return 0
  say "Starting the database"
  quietly compose up --detach --wait --wait-timeout 120 db || explain
}

# in_new SERVICE COMMAND...: runs a command in a container of its own, made like the service's.
in_new() { compose --progress quiet run --rm --no-deps "$(terminal)" "$@"; }

# in_running SERVICE COMMAND...: runs a command in the service's container.
in_running() { compose exec "$(terminal)" "$@"; }

terminal() { if [ -t 0 ] && [ -t 1 ]; then echo --no-TTY=false; else echo --no-TTY; fi; }

# explain: names the services that are not well, with their last log lines, and fails.
explain() {
  local service state ill=""
  while read -r service state; do
    case "$state" in "running healthy") continue ;; esac
    ill="$ill $service"
    printf -- '--- %s (%s): last lines of its log ---\n' "$service" "$state" >&2
    compose logs --no-color --no-log-prefix --tail 20 "$service" 2>&1 | plain >&2
  done < <(compose ps --all --format '{{.Service}} {{.State}} {{.Health}}' | sort -u)
  fail "not well:${ill:- $(compose ps --all --format '{{.Service}}' | xargs)}"
}

# probe: waits until the app, with its database migrated, answers through nginx, and prints the URL.
probe() {
  local host port answer="" i
  host=$(bind_address)
  port=$(env_get HTTP_PORT 80)
  for i in $(seq 40); do
    answer=$( (exec 3<>"/dev/tcp/$host/$port" && printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3 && head -n 1 <&3) 2>/dev/null) || true
    case "$answer" in *" 200 "*) break ;; esac
    [ "$i" -lt 40 ] || fail "nginx does not pass requests on: GET /readyz at $host:$port answers '${answer:-nothing}'"
    sleep 0.25
  done
  say "Ready: http://${host/#127.0.0.1/localhost}$([ "$port" = 80 ] || echo ":$port")/"
}

verb_down() {
  check_all
  compose --profile db down --remove-orphans
}

verb_restart() {
  check_services
  require_up nginx
  # shellcheck disable=SC2086 # none, or one
  quietly compose restart ${S:-}
  quietly compose up --detach --no-recreate --wait --wait-timeout 150 || explain
  probe
}

verb_ps() {
  check_all
  compose ps --all
}

verb_logs() {
  check_services
  check_all
  # shellcheck disable=SC2086 # none, or some
  if [ -t 1 ]; then compose logs --follow --tail 200 ${S:-}; else compose logs --no-color ${S:-} | plain; fi
}

# plain: takes the terminal codes away that Compose puts before each line.
plain() { sed $'s|^\e\\[2K||'; }

verb_clean() {
  check_all
  if [ "${sure:-}" != yes ]; then
    [ -t 0 ] || fail "this deletes the data of $(env_get COMPOSE_PROJECT_NAME); to be sure, type make clean sure=yes"
    read -r -p "Delete the containers, images and data of $(env_get COMPOSE_PROJECT_NAME)? Type yes: " sure
    [ "$sure" = yes ] || fail "nothing was deleted"
  fi
  compose --profile db down --volumes --remove-orphans --rmi local
  prune
}

verb_migrate() {
  check_all
  local options=()
  [ -z "${m:-}" ] || options+=(--message "$m")
  [ -z "${rename:-}" ] || options+=(--rename "$rename")
  case "${drop:-}" in "") ;; yes) options+=(--drop) ;; *) fail "drop=$drop: say drop=yes, or leave it out" ;; esac
  start_database
  in_new web python manage.py db evolve ${options[@]+"${options[@]}"}
}

verb_psql() {
  check_all
  local url
  url=$(env_get DATABASE_URL)
  [ -z "$(env_get DATABASE_URL_FILE)" ] || fail "only web can read DATABASE_URL_FILE; type psql yourself"
  if [ -n "$url" ]; then
    PGPASSWORD=$(env_get POSTGRES_PASSWORD) compose run --rm --no-deps --env PGPASSWORD "$(terminal)" db \
      psql "${url/#postgresql+psycopg2:/postgresql:}"
  else
    require_up db
    # shellcheck disable=SC2016 # the container's variables
    in_running db sh -c 'exec psql --username "$POSTGRES_USER" "$POSTGRES_DB"'
  fi
}

verb_shell() {
  require_up web
  in_running web python manage.py shell
}

verb_flask() {
  require_up web
  words A
  in_running web python manage.py ${words[@]+"${words[@]}"}
}
