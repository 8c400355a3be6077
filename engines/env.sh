# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`
# Reads and writes .env, for all the scripts here. Compose reads the same file, so what both would not read alike is refused.

# env_load: reads .env, each NAME into dotenv_NAME.
env_load() {
  local line name value
  [ -r .env ] || return 0
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#export }
    name=${line%%=*}
    value=${line#*=}
    case "$name" in "" | "$line" | [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
    case "$value" in \'*\') value=${value#?} value=${value%?} ;; esac
    printf -v "dotenv_$name" %s "$value"
  done <.env
}

# env_get NAME [DEFAULT]: prints the value of NAME in the environment, else in .env; DEFAULT if that is empty.
env_get() {
  env_read "$@"
  printf '%s\n' "$REPLY"
}

# env_read NAME [DEFAULT]: the same, into REPLY, without a process of its own.
env_read() {
  local stored=dotenv_$1
  REPLY=${!1:-}
  [ -n "${!1+set}" ] || REPLY=${!stored:-}
  REPLY=${REPLY:-${2:-}}
}

# words NAME: splits the value of a variable into the array `words`, by quotes and backslashes as xargs does, without expansion.
words() {
  local word
  words=()
  [ -n "${!1:-}" ] || return 0
  xargs printf '%s\0' <<<"${!1}" >/dev/null 2>&1 || fail "$1=${!1}: the quotes do not match"
  while IFS= read -r -d '' word; do words+=("$word"); done < <(xargs printf '%s\0' <<<"${!1}")
}

# env_check: fails with the lines of .env that are not understood.
env_check() {
  local wrong
  [ -r .env ] || fail ".env cannot be read, as it belongs to $(owner .env); type sudo chown $(id -un) .env"
  check_encoding
  wrong=$(grep -n $'\r$' .env | cut -d : -f 1 | sed -n 1p) || true
  [ -z "$wrong" ] || fail ".env line $wrong ends as on Windows (CRLF); type tr -d '\\r' <.env >.env.new && mv .env.new .env"
  wrong=$(grep -nvE "^(#.*|[[:space:]]*|(export )?[A-Za-z_][A-Za-z0-9_]*=('[^']*'|[^[:space:]'\"\$\`\\\\]*))\$" .env | cut -d : -f 1 | xargs) || true
  [ -z "$wrong" ] || fail ".env line $wrong is malformed: write NAME=value, or NAME='value' where it has spaces, quotes or \$"
}

# check_encoding: editors of Windows write others, or mark theirs.
check_encoding() {
  local start
  start=$(head -c 3 .env | od -An -tx1 | tr -d ' \n')
  case "$start" in
    efbbbf) fail ".env begins with a byte order mark; save it as UTF-8 without one, or type tail -c +4 .env >.env.new && mv .env.new .env" ;;
    fffe* | feff*) fail ".env is written in UTF-16; save it as UTF-8, or type iconv -f UTF-16 -t UTF-8 .env >.env.new && mv .env.new .env" ;;
  esac
  ! command -v iconv >/dev/null || iconv -f UTF-8 -t UTF-8 .env >/dev/null 2>&1 || fail ".env is not written in UTF-8; save it so"
}

# env_set FILE NAME VALUE: replaces the line of NAME.
env_set() {
  sed "s|^$2=.*|$2=$3|" "$1" >"$1.new"
  mv "$1.new" "$1"
}

# nginx_settings: exports the variables of nginx's templates that docker-compose.yml makes of a setting.
nginx_settings() {
  local name setting default
  while read -r name setting default; do
    env_read "$setting" "$default"
    export "$name=$REPLY"
  done < <(
    sed -n 's/^      \(NGINX_[A-Z_]*\): \${\([A-Z_]*\):-\(.*\)}$/\1 \2 \3/p' docker-compose.yml
  )
}

random_secret() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }

# owner FILE: the name of who owns it.
owner() {
  # shellcheck disable=SC2012 # of `stat` there are two kinds
  ls -ld "$1" | awk '{ print $3 }'
}

# owner_ids FILE: the same as uid:gid.
owner_ids() {
  # shellcheck disable=SC2012 # of `stat` there are two kinds
  ls -nd "$1" | awk '{ print $3 ":" $4 }'
}

# listens PORT: tells whether something answers on PORT of the address that the stack is served on.
listens() { (exec 3<>"/dev/tcp/$(bind_address)/$1") 2>/dev/null; }

# bind_address: where the stack can be reached from this machine.
bind_address() {
  case "$(env_get HTTP_BIND)" in "" | 0.0.0.0) served_host ;; *) env_get HTTP_BIND ;; esac
}

# out_of_reach: tells whether the stack is served to another machine alone, which DEPLOY_HOST names.
out_of_reach() { case "$(env_get DEPLOY_HOST) $(env_get HTTP_BIND)" in ssh://*" 127."* | tcp://*" 127."*) ;; *) return 1 ;; esac; }

# served_host: prints the machine that DEPLOY_HOST names, this one where it names none, or a socket.
served_host() {
  local url host name
  url=$(env_get DEPLOY_HOST)
  case "$url" in *://*) host=${url#*://} ;; *) host="" ;; esac
  host=${host%%/*} host=${host##*@}
  case "$host" in *:*) host=${host%:*} ;; esac
  # It may be an alias of ~/.ssh/config.
  case "$url" in ssh://*) name=$(ssh -G "$host" 2>/dev/null | awk '$1 == "hostname" { print $2 }') || name="" ;; esac
  echo "${name:-${host:-127.0.0.1}}"
}

# free_port PORT...: the first that the engine can open; nothing where all are taken.
free_port() {
  local port
  for port in "$@"; do
    if can_open "$port"; then
      printf '%s\n' "$port"
      return
    fi
  done
}

# project_name: this folder's name, made fit for Compose, and a hash of where it is, so that two checkouts differ.
project_name() {
  local name
  name=$(basename "$PWD" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9-' | sed 's/^-*//')
  printf '%s-%s\n' "${name:-slipway}" "$(pwd -P | cksum | cut -d ' ' -f 1 | cut -c 1-5)"
}

# env_create ENGINE PORT...: writes .env from .env.example, with fresh secrets, and HTTP_PORT or the first free PORT. If another
# make has written one meanwhile, that one is used.
env_create() {
  (umask 077 && env_write "$@") || exit
  env_load
}

env_write() {
  local engine=$1 port draft
  shift
  port=${HTTP_PORT:-$(free_port "$@")}
  [ -n "$port" ] || fail "ports $* are all taken; type make up HTTP_PORT=, with one that is free"
  draft=$(mktemp .env.XXXXXX)
  cat .env.example >"$draft"
  while grep -q '=change-me$' "$draft"; do
    awk -v secret="$(random_secret)" '!done && sub(/=change-me$/, "=" secret) { done = 1 } { print }' "$draft" >"$draft.new"
    mv "$draft.new" "$draft"
  done
  env_set "$draft" ENGINE "$engine"
  env_set "$draft" HTTP_PORT "$port"
  env_set "$draft" COMPOSE_PROJECT_NAME "$(project_name)"
  env_set "$draft" WEB_USER "$(web_user)"
  if [ "$verb" = deploy ]; then
    env_set "$draft" APP_SETTINGS config.ProductionConfig
    env_set "$draft" COMPOSE_FILE docker-compose.yml
    [ -z "${DEPLOY_HOST:-}" ] || printf 'DEPLOY_HOST=%s\n' "$DEPLOY_HOST" >>"$draft"
  fi
  # ln fails if there is a .env already, atomically.
  ln "$draft" .env 2>/dev/null || mv -n "$draft" .env
  rm -f "$draft"
}
