# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`
# https: the certificate that .env names, and what the engines need to know of it.

CERTIFICATE_DAYS=14 # left, below which it is said

# tls: tells whether https is switched on.
tls() { [ -n "$(env_get TLS_CERT)$(env_get TLS_KEY)" ]; }

scheme() { if tls; then echo https; else echo http; fi; }

# https_suffix: what an URL has after the host's name.
https_suffix() { [ "$(env_get HTTPS_PORT 443)" = 443 ] || echo ":$(env_get HTTPS_PORT)"; }

# check_certificate: fails unless certificate and key can be used, and belong together.
check_certificate() {
  local cert key name
  tls || return 0
  cert=$(env_get TLS_CERT) key=$(env_get TLS_KEY)
  [ -n "$cert" ] && [ -n "$key" ] || fail ".env: of TLS_CERT and TLS_KEY only one is set"
  [ "$(env_get HTTPS_PORT 443)" != "$(env_get HTTP_PORT 80)" ] || fail ".env: HTTPS_PORT and HTTP_PORT are the same"
  require_openssl
  for name in TLS_CERT TLS_KEY; do
    [ -r "$(env_get "$name")" ] || fail ".env: $name=$(env_get "$name") cannot be read; make cert makes a certificate for trying"
  done
  openssl x509 -noout -in "$cert" 2>/dev/null || fail ".env: TLS_CERT=$cert is no certificate in PEM"
  openssl pkey -noout -in "$key" -passin pass: 2>/dev/null || fail ".env: TLS_KEY=$key is no private key in PEM without a passphrase"
  [ "$(openssl x509 -noout -pubkey -in "$cert")" = "$(openssl pkey -pubout -in "$key")" ] || fail ".env: TLS_KEY=$key is not the key of TLS_CERT=$cert"
}

require_openssl() { command -v openssl >/dev/null || fail "there is no openssl command, which certificates need; install it"; }

# days_left: prints how many days the certificate is good for, where these are few; -1 where it has expired.
days_left() {
  local days
  openssl x509 -noout -checkend 0 -in "$(env_get TLS_CERT)" >/dev/null || {
    echo -1
    return
  }
  for days in $(seq "$CERTIFICATE_DAYS"); do
    openssl x509 -noout -checkend "$((days * 86400))" -in "$(env_get TLS_CERT)" >/dev/null || {
      echo "$((days - 1))"
      return
    }
  done
}

# serves_certificate: tells whether https is served with the certificate that .env names.
serves_certificate() {
  local served
  served=$(openssl s_client -connect "$(bind_address):$(env_get HTTPS_PORT 443)" -servername localhost </dev/null 2>/dev/null | openssl x509 -outform der 2>/dev/null | cksum)
  [ "$served" = "$(openssl x509 -in "$(env_get TLS_CERT)" -outform der 2>/dev/null | cksum)" ]
}

# certificate_and_key: prints them as nginx gets them, in one file.
certificate_and_key() {
  cat "$(env_get TLS_CERT)" && echo && cat "$(env_get TLS_KEY)"
}

# self_signed NAME CERT KEY: makes an end-entity certificate for NAME and this machine (RFC 5280, section 4.2.1).
self_signed() {
  local names=DNS:localhost,IP:127.0.0.1
  [ "$1" = localhost ] || names=DNS:$1,$names
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -out "$2" -keyout "$3" \
    -config <(printf '%s\n' '[req]' 'distinguished_name = subject' 'x509_extensions = extensions' 'prompt = no' \
      '[subject]' "CN = $1" '[extensions]' 'basicConstraints = critical, CA:FALSE' 'keyUsage = critical, digitalSignature' \
      'extendedKeyUsage = serverAuth' 'subjectKeyIdentifier = hash' "subjectAltName = $names") 2>/dev/null
}

verb_cert() {
  local name=${name:-localhost}
  require_openssl
  case "$name" in "" | *[!A-Za-z0-9.-]*) fail "name=$name is no host's name, such as www.example.com" ;; esac
  (umask 077 && mkdir -p tls && self_signed "$name" tls/cert.pem tls/key.pem) || fail "openssl makes no certificate for name=$name"
  say "Wrote tls/cert.pem and tls/key.pem, for $name and 90 days. Browsers warn of it, as nobody vouches for it."
  say "To serve https with it, put these lines into .env, then type make up:"
  printf 'TLS_CERT=tls/cert.pem\nTLS_KEY=tls/key.pem\n'
}
