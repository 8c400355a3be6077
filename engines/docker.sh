# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`
# The engine `docker`: the services of docker-compose.yml, by Docker Compose.

ENGINE_MINIMUM=25      # for `start_interval` in docker-compose.yml
COMPOSE_MINIMUM=2.24.4 # for `!override` in docker-compose.dev.yml

# Without attestations, which hold the time, an image that is built again from the same files stays the same.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1

# Where DEPLOY_HOST names the engine of another machine, all is done there, but for building.
engine_here=${DOCKER_HOST:-}
remote() { [ -n "$(env_get DEPLOY_HOST)" ]; }
if remote; then
  DOCKER_HOST=$(env_get DEPLOY_HOST)
  export DOCKER_HOST
fi

# here COMMAND...: does it with the engine of this machine.
# shellcheck disable=SC2030,SC2031 # for this subshell
here() (
  if [ -n "$engine_here" ]; then export DOCKER_HOST=$engine_here; else unset DOCKER_HOST; fi
  "$@"
)

compose() {
  local more=""
  [ -z "${DEMO_LOGIN_PORT:-}" ] || more=:docker-compose.demo-login.yml
  ! tls || more=$more:docker-compose.tls.yml
  if [ -n "$more" ]; then
    more=$(env_get COMPOSE_FILE docker-compose.yml)$more
    local -x COMPOSE_FILE=$more HTTPS_SUFFIX HTTPS_LISTEN
    HTTPS_SUFFIX=$(https_suffix)
    HTTPS_LISTEN=$(https_listen)
  fi
  docker compose --profile "$(profile)" "$@"
}

# https_listen: where https is published, as docker-compose.yml and docker-compose.dev.yml have it for http.
https_listen() {
  local every=0.0.0.0
  ! development || every=127.0.0.1
  echo "$(env_get HTTP_BIND "$every"):$(env_get HTTPS_PORT 443)"
}

# profile: the stack's own database (db) is not started where .env names another.
profile() { if own_database; then echo db; else echo none; fi; }

# --- What must hold before anything starts --------------------------------------------------------------------------

check_engine() {
  local version
  ! remote || ! development || [ ! -f .env ] || fail ".env: DEPLOY_HOST is for production, and here is APP_SETTINGS=$(env_get APP_SETTINGS)"
  command -v docker >/dev/null || fail "there is no docker command; install Docker (https://docs.docker.com/get-docker/), or type make $verb ENGINE=native"
  docker_answers || fail "$why_not$(! remote || echo " (DEPLOY_HOST=$(env_get DEPLOY_HOST))"); $remedy, then type make $verb again, or type make $verb ENGINE=native"
  version=$(docker version --format '{{.Server.Version}}')
  [ "${version%%.*}" -ge "$ENGINE_MINIMUM" ] || fail "the Docker engine is $version, and must be $ENGINE_MINIMUM or newer"
  version=$(docker compose version --short 2>/dev/null) || fail "there is no Docker Compose (https://docs.docker.com/compose/install/)"
  version=${version#v}
  [ "$(printf '%s\n' "$COMPOSE_MINIMUM" "${version%%-*}" | sort -t . -k 1,1n -k 2,2n -k 3,3n | sed -n 1p)" = "$COMPOSE_MINIMUM" ] ||
    fail "Docker Compose is $version, and must be $COMPOSE_MINIMUM or newer"
}

rootless() { case "$(docker info --format '{{.SecurityOptions}}')" in *rootless*) ;; *) return 1 ;; esac; }

# web_user: who web runs as in development: the owner of the checkout, whom a rootless engine calls root.
web_user() { if rootless; then echo 0:0; else owner_ids web; fi; }

# can_open PORT: of another machine, its engine tells.
can_open() { remote || ! listens "$1"; }

# A copied .env would make two checkouts share containers and data.
check_owner() {
  local folder
  folder=$(docker ps --all --filter "label=com.docker.compose.project=$(env_get COMPOSE_PROJECT_NAME slipway)" \
    --format '{{.Label "com.docker.compose.project.working_dir"}}' | sed -n 1p)
  if [ -n "$folder" ] && [ "$folder" != "$(pwd -P)" ] && [ -f "$folder/.env" ]; then
    fail ".env: COMPOSE_PROJECT_NAME=$(env_get COMPOSE_PROJECT_NAME) belongs to $folder; give this checkout another name"
  fi
}

# containers_of SERVICE OPTION...: lists those that run, as `docker ps` does with OPTION.
containers_of() {
  docker ps --filter "label=com.docker.compose.project=$(env_get COMPOSE_PROJECT_NAME "$(project_name)")" \
    --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False "${@:2}"
}

check_port() {
  local port ours
  # Also while it restarts again and again, when Compose does not tell.
  ours=$(containers_of nginx --quiet | xargs docker inspect --format '{{json .HostConfig.PortBindings}}' 2>/dev/null) || true
  for port in $(served_ports); do
    case "$ours" in *'"HostPort":"'"$port"'"'*) continue ;; esac
    can_open "$port" || refuse_port "$port" "is taken"
  done
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
  docker_answers || fail "$why_not to build the images; $remedy"
  while read -r pair; do
    image=$(env_get "${pair%%=*}" "${pair#*=}")
    docker image inspect "$image" >/dev/null 2>&1 && continue
    say "Pulling $image"
    quietly docker pull "$image" ||
      fail "cannot pull $image; name a mirror, here and then in .env: make $verb ${pair%%=*}=…; or type make $verb ENGINE=native, which needs no images"
  done < <(sed -n 's/^ARG \([A-Z]*_IMAGE=.*\)/\1/p' Dockerfile)
}

# check_database_image: the data belongs to the user that docker-compose.yml names, who must be the image's own.
check_database_image() {
  local image uid
  image=$(env_get POSTGRES_IMAGE)
  [ -n "$image" ] && own_database && [ -z "$(containers_of db --quiet)" ] || return 0
  uid=$(here docker run --rm --network none --entrypoint id "$image" -u postgres 2>/dev/null) || uid=none
  [ "$uid" = 999 ] ||
    fail ".env: POSTGRES_IMAGE=$image: its user postgres is $uid, and must be 999, as in the images on Debian; those on Alpine will not do"
}

# A machine that Docker Desktop runs may be a small one.
check_engine_memory() {
  local memory
  memory=$(($(docker info --format '{{.MemTotal}}') / 1048576))
  [ "$memory" -ge 1024 ] || note "the Docker engine has $memory MB of memory; give it 1024 at least"
}

# The data may be on another disk than the checkout.
check_engine_disk() {
  if own_database && database_runs; then
    check_free "where Docker keeps the database" compose exec --no-TTY db df -Pk /var/lib/postgresql
  fi
}

engine_checks() { echo check_engine check_engine_memory check_engine_disk check_owner check_other_engine check_static check_port; }

# can_run: tells whether there is an image to run the app from.
can_run() { has_release "${WEB_TAG:-latest}"; }

check_services_run() {
  local service states state
  states=$(compose ps --all --format '{{.Service}} {{.State}} {{.Health}}' 2>/dev/null | sort -u)
  case "$states" in *" running "* | *" restarting"*) ;; *) return 0 ;; esac
  for service in $(own_database && echo db) web nginx; do
    state=$(printf '%s\n' "$states" | sed -n "s/^$service //p" | sed -n '1s/ *$//p')
    [ "$state" = "running healthy" ] || note "$service is ${state:-not there}; type make logs S=$service, then make up"
  done
}

# frame_of SERVICE: prints, where the image below is there, what its image is made of that wants a restart: the image below it, and the files that are not handed
# over while it runs.
frame_of() {
  local base files
  case "$1" in
    db) base=$(env_get POSTGRES_IMAGE postgres:18-trixie) files=$(echo db/*) ;;
    nginx) base=$(env_get NGINX_IMAGE nginx:1.30) files="nginx/healthcheck nginx/hash-static nginx/keep" ;;
  esac
  base=$(here docker image inspect --format '{{.Id}}' "$base" 2>/dev/null) || return 0
  # shellcheck disable=SC2086 # a list
  { echo "$base" && sed -n "/^FROM .* AS $1\$/,/^CMD/p" Dockerfile && cat $files; } | cksum | cut -d ' ' -f 1
}

# sources_of SERVICE: prints a checksum of the files that its image is made of, without those that development mounts.
sources_of() {
  local files
  case "$1" in
    db) files="Dockerfile db" ;;
    web) if development; then files="Dockerfile web/requirements.txt"; else files="Dockerfile web"; fi ;;
    nginx) if development; then files="Dockerfile nginx"; else files="Dockerfile nginx web/app/static"; fi ;;
  esac
  # shellcheck disable=SC2086 # a list
  find $files -type f ! -path '*/__pycache__/*' ! -path 'nginx/acme/*' -exec cksum {} + | sort | cksum | cut -d ' ' -f 1
}

name_sources() {
  DB_SOURCES=$(sources_of db) WEB_SOURCES=$(sources_of web) NGINX_SOURCES=$(sources_of nginx)
  DB_FRAME=$(frame_of db) NGINX_FRAME=$(frame_of nginx)
  export DB_SOURCES WEB_SOURCES NGINX_SOURCES DB_FRAME NGINX_FRAME
}

check_sources() {
  local service label hashes
  if ! development; then
    ! web_runs || tell_due
    return
  fi
  hashes=$(compose config --hash '*') || return 0
  for service in db web nginx; do
    label=$(docker image inspect --format '{{index .Config.Labels "slipway.sources"}}' "$(image_of "$service")" 2>/dev/null) || continue
    [ "$label" = "$(sources_of "$service")" ] || note "the image of $service is older than its sources; type make up"
    # One that does not run has no label, which fits any hash.
    label=$(containers_of "$service" --format '{{.Label "com.docker.compose.config-hash"}}' | sed -n 1p)
    case "$hashes" in *"$service $label"*) ;; *) note "$service runs with older settings than those here; type make up" ;; esac
  done
}

check_all() {
  check_engine
  check_env
  check_owner
  case "$verb" in deploy) check_up ;; esac
  keep_demo_login
}

require_up() {
  check_all
  [ -n "$(compose ps --quiet --status running "$1" 2>/dev/null)" ] || fail "$1 is not running; type make up"
}

# --- The verbs ----------------------------------------------------------------------------------------------------------

# begin: what goes before all else where there may be no .env yet.
begin() {
  check_engine
  here check_images
  check_database_image
  if rootless; then first_env 8080 8081 8082 8083; else first_env 80 8080 8081 8082 8083; fi
}

# check_up: what must hold where servers are to be started anew.
check_up() {
  check_other_engine
  check_static
  check_port
  show_notes
}

verb_up() {
  begin
  check_env
  check_owner
  check_up
  take_turn
  name_sources
  if ! development; then
    start_database
    up_production
  else
    up_development
  fi
  tls || remove_certificate
  # The stack's own database, once web uses another.
  [ "$(profile)" = db ] || quietly compose --profile db rm --force --stop db
  prune
}

up_development() {
  say "Building the images"
  build
  [ -n "${DEMO_LOGIN_PORT:-}" ] || stop_login
  start_database
  say "Migrating"
  in_new python manage.py db prepare </dev/null || fail "not started, for the reason above; what was running still is"
  remove_failing
  test_nginx
  say "Starting web and nginx"
  quietly compose up --detach --remove-orphans --wait --wait-timeout 150 || explain
  if tls; then reload_nginx; fi
  # After a production, which names containers.
  [ "$(pointed_at)" = web ] || [ -z "$(server web resolve | front keep servers)" ] || reload_nginx
  probe
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

database_runs() { [ -n "$(compose ps --quiet --status running db 2>/dev/null)" ]; }

start_database() {
  own_database || return 0
  if development || [ -z "$(containers_of db --quiet --filter health=healthy)" ]; then
    database_runs || say "Starting the database"
    # Production is never without its database for another reason than that somebody wants to.
    # shellcheck disable=SC2046 # an option, or none
    quietly compose up --detach $(development || echo --no-recreate) --wait --wait-timeout 120 db || explain
  fi
  part_roles
}

stop_database() { quietly compose stop db; }

in_new() { compose --progress quiet run --rm --no-deps "$(terminal)" web "$@"; }

in_running() { compose exec "$(terminal)" web "$@"; }

pg() {
  local url
  if own_database; then
    compose exec --env PGUSER="$(database_role)" --env PGDATABASE="$(env_get POSTGRES_DB app)" "$(terminal)" db "$@"
  else
    url=$(require_database_url) || exit
    PGPASSWORD=$(password_of_url "$url") compose --progress quiet run --rm --no-deps --env PGPASSWORD "$(terminal)" db \
      "$1" --dbname="$(url_without_password "$url")" "${@:2}"
  fi
}

web_runs() { [ -n "$(compose ps --quiet --status running web 2>/dev/null)" ]; }

# reload_web: by a signal from within. After `docker kill`, whatever the signal, a container counts as stopped by hand, and
# Docker would not start it again with the host.
reload_web() {
  local container
  for container in $(containers_of web --quiet); do docker exec "$container" sh -c 'kill -HUP 1'; done
}

# The volume and the folder in it belong to nginx's user, who alone can read the key.
install_certificate() {
  # shellcheck disable=SC2016 # the container's
  certificate_and_key | compose --progress quiet run --rm --no-deps --no-TTY --entrypoint sh nginx \
    -c 'umask 077 && cat >"$NGINX_TLS/new" && mv "$NGINX_TLS/new" "$NGINX_TLS/tls.pem"' || fail "the certificate could not be handed to nginx"
}

remove_certificate() { docker volume rm --force "$(env_get COMPOSE_PROJECT_NAME slipway)_tls" >/dev/null; }

# reload_nginx: reloads nginx's configuration, and notes in `leaving` the old workers, which shut down gracefully. It is one
# command in the container, as each docker exec costs more than what it does.
reload_nginx() {
  local before status=0
  # shellcheck disable=SC2016 # the container's variables
  before=$(front sh -c '
    workers() { for p in /proc/[0-9]*; do ! grep -qs "^nginx: worker process" "$p/cmdline" || echo "${p#/proc/}"; done; }
    nginx -t -q -c "$NGINX_STATE/conf/nginx.conf" || exit 3
    before=$(workers)
    echo "$before"
    kill -HUP 1
    for i in $(seq 100); do
      ! workers | grep -qvxF "$before" || exit 0
      sleep 0.1
    done
    exit 1' </dev/null) || status=$?
  leaving="${leaving:-} $before"
  case "$status" in
    0) ;;
    3) fail "nginx refuses this; what it had before serves on" ;;
    *) fail "nginx does not take up its configuration; type make logs S=nginx" ;;
  esac
}

check_alive() { :; }

login_port() {
  { containers_of login --format '{{.Ports}}' || true; } 2>/dev/null | sed -n 's/.*:\([0-9]*\)->9400.*/\1/p'
}

# stop_login: ends the demo's provider, where it runs.
stop_login() (
  port=$(login_port)
  [ -n "$port" ] || exit 0
  use_demo_login "$port"
  quietly compose rm --force --stop login
)

login_url() { echo http://login:9400; }

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

verb_down() {
  check_all
  compose --profile db down --remove-orphans
}

verb_restart() {
  local service
  check_services
  require_up nginx
  take_turn
  name_sources
  for service in ${S:-$(own_database && echo db) web nginx}; do restart_service "$service"; done
  quietly compose up --detach --no-recreate --wait --wait-timeout 150 || explain
  probe
}

# restart_service SERVICE: in production this takes up what a deploy does not.
restart_service() {
  local before
  before=$(containers_of "$1" --quiet)
  case "$1" in
    db | nginx)
      if ! development; then
        ! frame_differs "$1" || build "$1"
        quietly compose up --detach --no-deps --wait --wait-timeout 150 "$1" || explain
      fi
      ;;
  esac
  [ "$before" != "$(containers_of "$1" --quiet)" ] || quietly compose restart "$1"
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
  confirm "delete the containers, images and data of $(env_get COMPOSE_PROJECT_NAME)"
  compose --profile db down --volumes --remove-orphans
  remove_certificate
  delete_images
  ! remote || here delete_images
  prune
}

# delete_images: those that have been built, of all releases.
delete_images() {
  local service
  for service in db web nginx; do
    docker images --format '{{.Repository}}:{{.Tag}}' "$(image_of "$service")" | xargs docker image rm >/dev/null 2>&1 || true
  done
}

# shellcheck source=engines/rollout.sh
. engines/rollout.sh
