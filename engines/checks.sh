# shellcheck shell=bash disable=SC2154,SC2034 # engines/run sets `verb`; doctor.sh reads `env_checks`
# What must hold of .env and the ports, on each engine. A check fails with one line that says what is wrong and what to do.

check_env() {
  if [ ! -f .env ]; then
    case "$verb" in
      down | clean) # go by the name that the first make up gives
        export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-$(project_name)} POSTGRES_PASSWORD=- APP_SETTINGS=-
        return
        ;;
      *) fail "there is no .env yet; type make up" ;;
    esac
  fi
  check_numbers
  check_addresses
  check_roles
  check_gauth_names
  check_secrets_present
  case "$verb" in down | ps | logs | clean) return ;; esac
  check_pair
  case "$verb" in up | demo-login | reload | deploy) ;; *) return ;; esac
  check_secrets_strong
  check_certificate
}

# The checks of .env, each of which make doctor tells for itself.
env_checks="check_numbers check_addresses check_roles check_gauth_names check_secrets_present check_pair check_secrets_strong check_certificate"

check_numbers() {
  check_number HTTP_PORT 80 65535
  check_number WEB_REPLICAS 1 100
  check_number RATE_LIMIT 50 1000000
  check_number RATE_BURST 200 1000000 0
  check_number RATE_LIMIT_UNSAFE 10 1000000
  check_number RATE_BURST_UNSAFE 50 1000000 0
  check_number RATE_LIMIT_SIGN_IN 60 1000000
  check_number CLIENT_CONNECTIONS 50 65535
  check_number WEB_CONNECTIONS 128 65535
  check_number HTTPS_PORT 443 65535
  check_number HSTS_SECONDS 31536000 99999999 0
  check_number MAX_BODY_BYTES 1048576 99999999
}

check_addresses() {
  local wrong
  wrong=$(env_get CORS_ORIGINS | tr -s ', ' '\n' | grep -vE '^(https?://[A-Za-z0-9.-]+(:[0-9]+)?)?$' | sed -n 1p) || true
  [ -z "$wrong" ] || fail ".env: CORS_ORIGINS has $wrong, which is no origin, such as https://app.example.com"
  wrong=$(env_get TRUSTED_HOSTS | tr -s ', ' '\n' | grep -vE '^([.]?[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*)?$' | sed -n 1p) || true
  [ -z "$wrong" ] || fail ".env: TRUSTED_HOSTS has $wrong, which is no name of a host, such as www.example.com, or .example.com for all under it"
  case "$(env_get HTTP_BIND)" in *[!0-9.]*) fail ".env: HTTP_BIND=$(env_get HTTP_BIND) is not an IPv4 address, such as 127.0.0.1" ;; esac
  case "$(env_get DATABASE_URL)" in *@db | *@db[:/]*) fail ".env: DATABASE_URL names the stack's own database, which is used where it is left out" ;; esac
  [ -r "$(env_get CA_BUNDLE /dev/null)" ] || fail ".env: CA_BUNDLE=$(env_get CA_BUNDLE) cannot be read"
}

check_roles() {
  case "$(env_get POSTGRES_USER)" in
    cluster | cluster_rename)
      fail ".env: POSTGRES_USER=$(env_get POSTGRES_USER) is a name of the cluster's own role; give web's another"
      ;;
  esac
}

# A misspelt GAUTH_ALLOWED would let everybody in.
check_gauth_names() {
  local name
  for name in ${!dotenv_GAUTH_@}; do
    name=${name#dotenv_}
    grep -q "^#*${name%_FILE}=" .env.example || fail ".env: there is no setting $name; .env.example lists them"
  done
}

check_secrets_present() {
  local name
  for name in SECRET_KEY CSRF_SESSION_KEY POSTGRES_PASSWORD; do
    [ -n "$(env_get "$name")$(env_get "${name}_FILE")" ] ||
      fail ".env: $name is empty; put its value back, or a new one such as $(random_secret)"
  done
}

# check_pair: fails unless APP_SETTINGS is an environment, and COMPOSE_FILE goes with it.
check_pair() {
  local settings files
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

# development: tells whether this is a developer's machine.
development() { [ "$(env_get APP_SETTINGS)" = config.DevelopmentConfig ]; }

# check_secrets_strong: as web/config.py has it, but before anything is built.
check_secrets_strong() {
  local name value
  ! development || return 0
  for name in SECRET_KEY CSRF_SESSION_KEY POSTGRES_PASSWORD; do
    value=$(env_get "$name")
    [ -n "$value" ] || continue
    case "$value" in change-me | secret | not_this) value="" ;; esac
    [ "${#value}" -lt 32 ] || continue
    [ "$name" != POSTGRES_PASSWORD ] ||
      fail ".env: $name is an example or under 32 characters; teach the database a longer one (make psql, then \\password), and put it there"
    fail ".env: $name is an example or under 32 characters; put a random one there, such as $(random_secret)"
  done
}

# check_number NAME DEFAULT MAXIMUM [MINIMUM]: fails unless NAME is a whole number from MINIMUM, or 1, to MAXIMUM.
check_number() {
  local value minimum=${4:-1} where=".env: "
  [ -z "${!1+set}" ] || where=""
  env_read "$1" "$2"
  value=$REPLY
  case "$value" in 0?* | *[!0-9]* | ?????????*) value=-1 ;; esac
  [ "$value" -ge "$minimum" ] && [ "$value" -le "$3" ] || fail "$where$1=$(env_get "$1") is not a number from $minimum to $3"
}

# refuse_port PORT WHY [OTHERWISE]: fails, with the name of a port that is free.
refuse_port() {
  local name=HTTP_PORT
  [ "$1" = "$(env_get HTTP_PORT 80)" ] || name=HTTPS_PORT
  fail "port $1 $2$(holder "$1"); set another in .env: $name=$(free_port 8080 8081 8082 8083 8084 8085)${3:-}"
}

# holder PORT: prints by whom it is taken, where that can be seen.
holder() {
  local name
  name=$(docker ps --filter "publish=$1" --format '{{.Names}}' 2>/dev/null | sed -n 1p) || name=""
  if [ -n "$name" ]; then
    echo " by the container $name"
    return
  fi
  name=$({ ss -Hltnp "sport = :$1" | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (pid \2)/p' || true; } 2>/dev/null | sed -n 1p)
  [ -n "$name" ] || name=$({ lsof -nP -iTCP:"$1" -sTCP:LISTEN -Fpc || true; } 2>/dev/null | sed -n 's/^p/(pid /p; s/^c//p' | sed -n '1h; 2{G; s/\n/ /; s/$/)/; p; }')
  [ -n "$name" ] || name=$(venv/bin/python engines/servers.py holder "$1" 2>/dev/null) || name=""
  [ -z "$name" ] || echo " by $name"
}

# served_ports: the port of http, and that of https where there is a certificate.
served_ports() { if tls; then echo "$(env_get HTTP_PORT 80) $(env_get HTTPS_PORT 443)"; else env_get HTTP_PORT 80; fi; }
