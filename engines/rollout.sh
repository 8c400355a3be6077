# shellcheck shell=bash disable=SC2154,SC2034 # engines/run sets `verb`, deploy.sh `release`, `old` and `beside`
# What make deploy does on the engine `docker`: the new containers of web start beside the old ones, nginx is told the names
# of those that it is to pass requests to (nginx/keep), and the old go when its workers from before are gone.

READY=150 # seconds that the new web may take
LEARN=2   # seconds in which nginx has surely asked for an address

project() { env_get COMPOSE_PROJECT_NAME slipway; }

# image_of SERVICE: prints the name of its image, without a tag.
image_of() { echo "$(env_get IMAGE_REPOSITORY "$(project)")-$1"; }

# --- The lock: a container that lasts as long as this script, on the engine, where other checkouts and machines see it.

# take_turn: waits until no other make changes this stack; a rollout does not wait.
take_turn() {
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  try_lock || {
    case "$verb" in deploy | rollback) fail "another make is at work on this stack (${holding:-just now}); wait until it is done" ;; esac
    say "Waiting for another make at work on this stack (${holding:-just now})"
    until try_lock; do sleep 1; done
  }
}

# try_lock: takes the lock, or tells in `holding` who has it. It goes with its standard input, however this script ends.
try_lock() {
  local image answer said="" _
  [ -z "${locked:-}" ] || return 0
  image=$({ docker image inspect --format '{{.Id}}' "$(image_of nginx)" || docker image inspect --format '{{.Id}}' "$(env_get NGINX_IMAGE nginx:1.30)"; } 2>/dev/null | sed -n '/./{p;q;}')
  [ -n "$image" ] || return 0
  # One that an engine which was killed has left does not hold anything.
  docker ps --all --quiet --filter "name=^$(project)-lock\$" --filter status=exited | xargs docker rm >/dev/null 2>&1 || true
  docker container prune --force --filter "label=slipway.lock=$(project)" --filter until=1m >/dev/null || true
  answer=$(mktemp)
  # The image has the labels of a service, which the lock is none of.
  exec 8> >(exec docker run --interactive --rm --name "$(project)-lock" --network none --read-only \
    --label "slipway.lock=$(project)" --label "slipway.holder=make $verb since $(date +%H:%M:%S)" \
    --label com.docker.compose.project= --label com.docker.compose.service= \
    --entrypoint sh "$image" -c 'echo locked; cat >/dev/null' >"$answer" 2>&1)
  for _ in $(seq 100); do
    said=$(cat "$answer")
    [ -z "$said" ] || break
    sleep 0.1
  done
  rm -f "$answer"
  case "$said" in
    locked*)
      locked=yes
      return
      ;;
    *"is already in use"*) holding=$(docker inspect --format '{{index .Config.Labels "slipway.holder"}}' "$(project)-lock" 2>/dev/null) || holding="" ;;
    *) fail "the stack cannot be locked: ${said:-Docker starts no container}" ;;
  esac
  exec 8>&-
  return 1
}

# --- What the volume of nginx has

# front COMMAND...: runs in nginx's container, or, where none runs, in one like it.
front() {
  local container
  container=$(containers_of nginx --quiet --filter status=running | sed -n 1p)
  if [ -n "$container" ]; then
    docker exec --interactive "$container" "$@"
  else
    compose --progress quiet run --rm --no-deps --no-TTY --entrypoint "$1" nginx "${@:2}"
  fi
}

# read_releases: they are asked for once, as nobody else changes them while this make has its turn.
read_releases() {
  if [ -z "${scratch:-}" ]; then
    ask_releases
    return
  fi
  [ -f "$scratch/releases" ] || { ask_releases >"$scratch/asked" && mv "$scratch/asked" "$scratch/releases"; } || return
  cat "$scratch/releases"
}

# shellcheck disable=SC2016 # the container's variables
ask_releases() {
  local volume
  volume=$(docker volume ls --quiet --filter "name=^$(project)_nginx\$") || return
  [ -z "$volume" ] || front sh -c 'cat "$NGINX_STATE/releases" 2>/dev/null || true' </dev/null
}

# shellcheck disable=SC2016 # likewise
write_releases() {
  rm -f "$scratch/releases"
  front sh -c 'cat >"$NGINX_STATE/releases.new" && mv "$NGINX_STATE/releases.new" "$NGINX_STATE/releases"'
}

has_release() { docker image inspect "$(image_of web):$1" >/dev/null 2>&1; }

delete_release() {
  docker image rm "$(image_of web):$1" >/dev/null 2>&1 || true
  ! remote || here docker image rm "$(image_of web):$1" >/dev/null 2>&1 || true
}

# shellcheck disable=SC2016 # likewise
# pointed_at: prints the names of the containers that nginx passes requests to; `web` stands for all of them.
pointed_at() {
  front sh -c 'cat "$NGINX_STATE/web.servers" 2>/dev/null' </dev/null |
    awk '/ down / || / backup / { next } / # / { print $NF; next } { sub(/^server /, ""); sub(/:.*/, ""); print }'
}

# --- The containers of web

# webs [OPTION...]: prints the names of those that run.
webs() { containers_of web --format '{{.Names}}' "$@" | sort; }

ready_webs() { webs --filter health=healthy; }

# told_webs [OPTION...]: prints those that nginx passes requests to.
told_webs() {
  local names
  names=$(pointed_at)
  if [ "$names" = web ]; then webs "$@"; else among "$(webs "$@")" "$names"; fi
}

# serving: prints those of them that are ready.
serving() { told_webs --filter health=healthy; }

# server ADDRESS [OPTION...]: a line of an upstream: https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
server() { echo "server $1:8000 max_fails=0 max_conns=$(env_get WEB_CONNECTIONS 128) ${*:2};"; }

# by_name NAMES: as nginx is to know containers in the long run: it follows their names where Docker gives them new addresses.
by_name() {
  local name
  for name in $1; do server "$name" resolve; done
}

# by_address NAMES: as it is to know them at first. After a reload its workers know the address of a name only if the workers
# before did, and would fail a request until they have it; so the names are there for them to learn, and not asked yet.
by_address() {
  local name
  for name in $1; do
    echo "$(server "$(docker inspect --format "{{(index .NetworkSettings.Networks \"$(project)_front\").IPAddress}}" "$name")") # $name"
    server "$name" down resolve
  done
  server web backup resolve
}

# lead_to NAMES: has nginx pass requests to these, and to no others; once it has done with the old, settle is to come.
lead_to() {
  local how=by_address changed
  [ -n "$(serving)" ] || how=by_name
  changed=$("$how" "$1" | front keep servers)
  [ -z "$changed" ] || reload_nginx
  led=$1 led_at=$SECONDS
}

# settle: has nginx follow the names of those that it was led to, which it has had the time to learn.
settle() {
  local changed
  while [ "$((SECONDS - led_at))" -lt "$LEARN" ]; do sleep 0.5; done
  changed=$(by_name "$led" | front keep servers)
  [ -z "$changed" ] || reload_nginx
  leaving=""
  # shellcheck disable=SC2016 # the container's variable
  front sh -c 'rm -f "$NGINX_STATE/pending"' </dev/null
}

nginx_runs() { [ -n "$(containers_of nginx --quiet --filter status=running)" ]; }

# --- A rollout

build_release() { WEB_TAG=$release build; }

# build SERVICE...: makes their images, or all, on this machine, and brings them to where they are to run.
build() {
  here quietly compose build "$@" || fail "the images could not be built"
  ! remote || send_images "$@"
}

# send_images SERVICE...: by way of a registry, where IMAGE_REPOSITORY names one, else as they are.
send_images() {
  local service image
  # shellcheck disable=SC2046 # an argument, or none
  [ "$#" != 0 ] || set -- $(! own_database || echo db) web nginx
  for service in "$@"; do
    image=$(image_of "$service")
    [ "$service" != web ] || image=$image:$WEB_TAG
    send_image "$image" || fail "there is no image $image to send"
  done
}

send_image() {
  local id
  id=$(here docker image inspect --format '{{.Id}}' "$1" 2>/dev/null) || return 1
  [ "$id" != "$(docker image inspect --format '{{.Id}}' "$1" 2>/dev/null)" ] || return 0
  step "Sending $1"
  if [ -n "$(env_get IMAGE_REPOSITORY)" ]; then
    { here quietly docker push "$1" && quietly docker pull "$1"; } || fail "$1 cannot be sent by its registry"
  else
    here docker save "$1" | gzip -1 | docker load --quiet >/dev/null || fail "$1 cannot be sent to $DOCKER_HOST"
  fi
}

# fetch_release TAG: gets one that is not there from its registry, or from this machine.
fetch_release() {
  if [ -n "$(env_get IMAGE_REPOSITORY)" ]; then
    quietly docker pull "$(image_of web):$1"
  else
    remote && send_image "$(image_of web):$1"
  fi
}

check_packages() { :; } # an image has its own

in_release() {
  local WEB_TAG=$1
  export WEB_TAG
  in_new "${@:2}"
}

start_beside() {
  local number
  export WEB_TAG=$release # for what Compose starts from then on
  number=$(env_get WEB_REPLICAS 1)
  before_start=$(webs --all)
  begun=yes
  # What starts is not to be asked before it is ready.
  if [ -n "$old" ] && [ "$(pointed_at)" = web ]; then lead_to "$old"; fi
  quietly compose up --detach --no-deps --no-recreate --scale web="$((number + $(count "$before_start")))" web || fail "the new web could not be started"
  new=$(without "$(webs --all)" "$before_start")
  await_ready
  publish_static
}

count() { printf '%s\n' "$1" | sed '/^$/d' | wc -l | tr -d ' '; }

# await_ready: by their own /readyz, which Docker asks.
await_ready() {
  local until=$((SECONDS + READY)) states
  while true; do
    # shellcheck disable=SC2086 # a list
    states=$(docker inspect --format '{{.State.Status}} {{.RestartCount}} {{.State.Health.Status}}' $new 2>&1 | sort -u) || true
    [ "$states" != "running 0 healthy" ] || return 0
    [ -z "$(without "$states" $'running 0 healthy\nrunning 0 starting')" ] || fail "web of $release does not run"
    [ "$SECONDS" -lt "$until" ] || fail "web of $release is not ready after $READY s"
    sleep 0.3
  done
}

# publish_static: hands the release's static files to nginx, which keeps those of the releases before under their hashed names.
publish_static() {
  docker run --rm --network none --read-only --entrypoint tar "$(image_of web):$release" -c -C app static >"$scratch/static.tar" || fail "the static files of $release cannot be read"
  published=yes
}

# keep_nginx_up: starts nginx where it does not run; where no release serves, with all that has changed. What it listens on
# cannot be changed while it runs.
keep_nginx_up() {
  local option=--force-recreate
  if nginx_runs && [ -n "$(serving)" ] && is_listed "$(serving_release)"; then
    if [ "$(label_of nginx slipway.listens)" != "$(env_get HTTP_BIND) $(env_get HTTP_PORT 80) $(! tls || https_listen)" ]; then
      say "Restarting nginx, as where it listens was changed"
    elif [ -n "$(containers_of nginx --quiet --filter health=healthy)" ]; then
      return
    else
      option=--no-recreate
    fi
  fi
  quietly compose up --detach --no-deps "$option" --wait --wait-timeout 60 nginx || explain
}

# test_nginx: has the new image of nginx render and test its configuration, which hand_over gives to the one that runs.
test_nginx() {
  if tls; then install_certificate; fi
  if development; then nginx_changes || return 0; else build nginx; fi
  compose --progress quiet run --rm --no-deps --no-TTY --env NGINX_STATE=/tmp/state --entrypoint sh nginx -c \
    '/docker-entrypoint.sh nginx -t -q -c /tmp/state/conf/nginx.conf >&2 && tar -c -C /tmp/state/conf .' </dev/null >"$scratch/conf.tar" ||
    fail "nginx refuses its configuration, for the reason above; what was running still is"
  development || keep_nginx_up
}

# nginx_changes: tells whether Compose would replace one that serves.
nginx_changes() {
  local running new
  running=$(containers_of nginx --quiet | xargs docker inspect --format '{{.Image}} {{index .Config.Labels "com.docker.compose.config-hash"}}' 2>/dev/null) || return 1
  new=$(docker image inspect --format '{{.Id}}' "$(image_of nginx)")
  [ "$running" != "$new $(compose config --hash nginx | awk '{ print $2 }')" ]
}

# hand_over: gives nginx what has come for it; prints something where that needs a reload.
hand_over() {
  [ -z "${published:-}" ] || front keep static <"$scratch/static.tar" >/dev/null
  [ ! -s "$scratch/conf.tar" ] || front keep configuration <"$scratch/conf.tar"
}

switch_to_new() {
  hand_over >/dev/null
  lead_to "$new"
}

switch_back() {
  lead_to "$old"
  drain
  settle
}

new_is_well() { [ -z "$(without "$new" "$(ready_webs)")" ]; }

mark_now() { front date +%s </dev/null; }

mark_before() { echo "$(($(mark_now) - 300))"; }

answers_since() {
  local container
  container=$(containers_of nginx --quiet | sed -n 1p)
  if [ -z "$container" ]; then echo "0 0"; else docker logs --since "$1" "$container" 2>/dev/null | count_answers; fi
}

# drain: waits until the workers that `leaving` names are gone.
drain() {
  # shellcheck disable=SC2016,SC2086 # the container's variables; a list
  front sh -c 'for p; do while grep -qs "^nginx: worker process" "/proc/$p/cmdline"; do sleep 0.1; done; done' sh ${leaving:-} </dev/null
}

# remove_webs NAMES: ends containers in good order.
remove_webs() {
  # shellcheck disable=SC2086 # a list
  [ -z "$1" ] || { docker stop --time 40 $1 && docker rm --force $1; } >/dev/null 2>&1 || true
}

remove_old() {
  remove_webs "$(without "$(webs --all)" "$new")"
  tag_latest
}

serving_release() {
  local name
  name=$(serving | sed -n 1p)
  # As it was named when the container was made; `docker ps` names an image by its id once the tag is another's.
  [ -z "$name" ] || docker inspect --format '{{.Config.Image}}' "$name" | sed 's/.*://'
}

# tag_latest: gives the image of the present release the tag that Compose takes by itself.
tag_latest() { ! has_release "$(current)" || docker tag "$(image_of web):$(current)" "$(image_of web)"; }

discard_new() {
  local name
  [ -n "${begun:-}" ] || return 0
  [ -n "${new:-}" ] || new=$(without "$(webs --all)" "$before_start")
  for name in $new; do
    printf -- '--- %s: last lines of its log ---\n' "$name" >&2
    docker logs --tail 20 "$name" 2>&1 | plain >&2
  done
  remove_webs "$new"
}

# mend: nginx is led to what it was told last, where something of that is ready, else to what is ready at all; the rest goes.
mend() {
  local keep
  [ -n "$(webs --all)" ] || return 0
  await_starting
  if [ -n "$(serving)" ]; then keep=$(told_webs); else keep=$(ready_webs); fi
  # None is ready, for a reason that may not be theirs.
  [ -n "$keep" ] || keep=$(webs)
  is_left_by_half "$keep" || return 0
  say "Mending what an earlier make has left by half"
  if [ -n "$keep" ] && [ -n "$(containers_of nginx --quiet)" ]; then
    lead_to "$keep"
    reload_nginx
    drain
    settle
  fi
  remove_webs "$(without "$(webs --all)" "$keep")"
  correct_releases
  tag_latest
}

# shellcheck disable=SC2016 # the container's variable
is_left_by_half() { [ -n "$(without "$(webs --all)" "$1")" ] || front sh -c '[ -e "$NGINX_STATE/pending" ]' </dev/null; }

# await_starting: after a restart of the host they all start at once.
await_starting() {
  local until=$((SECONDS + READY))
  while [ -n "$(webs --filter health=starting)" ] && [ -z "$(serving)" ] && [ "$SECONDS" -lt "$until" ]; do sleep 0.5; done
}

# --- make up in production

keep_serving() {
  local changed
  build db
  test_nginx
  changed=$(hand_over)
  if [ -n "$changed" ] || tls; then reload_nginx; fi
  led=$(pointed_at) led_at=-$LEARN # which has WEB_CONNECTIONS taken up
  settle
  tell_due
  probe
}

# tell_due: says what of this checkout is not served yet, and by which verb it is.
tell_due() {
  ! web_differs || note "web serves the release $(current), and this checkout has other sources or settings; a deploy is due: make deploy"
  ! frame_differs db || note "the image of db has changed; it is taken up by a restart: make restart S=db"
  ! frame_differs nginx || note "the image of nginx has changed; it is taken up by a restart: make restart S=nginx"
}

# label_of SERVICE LABEL: prints that of its first container.
label_of() { containers_of "$1" --format "{{.Label \"$2\"}}" | sed -n 1p; }

# frame_differs SERVICE: tells whether its image wants a restart, where that can be told.
frame_differs() {
  local frame
  frame=$(frame_of "$1")
  [ -n "$frame" ] && [ -n "$(containers_of "$1" --quiet)" ] && [ "$(label_of "$1" slipway.frame)" != "$frame" ]
}

# web_differs: tells whether web would be another from this checkout; of an image that was built elsewhere, its sources are not known.
web_differs() {
  local sources
  sources=$(label_of web slipway.sources)
  { [ -n "$sources" ] && [ "$sources" != "$(sources_of web)" ]; } ||
    [ "$(webs | wc -l | tr -d ' ')" != "$(env_get WEB_REPLICAS 1)" ] ||
    [ "$(label_of web com.docker.compose.config-hash)" != "$(WEB_TAG=$(current) compose config --hash web | awk '{ print $2 }')" ]
}
