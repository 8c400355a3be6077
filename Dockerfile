# One target a service: web, db, nginx. The base images are arguments, so that a mirror can be named in .env.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG POSTGRES_IMAGE=postgres:18-trixie
ARG NGINX_IMAGE=nginx:1.30

# The virtualenv is built apart: pip, its cache and a proxy's certificate stay behind.
FROM ${PYTHON_IMAGE} AS packages
ARG PIP_INDEX_URL
RUN python3 -m venv /venv
COPY web/requirements.txt /requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca_bundle,target=/run/ca_bundle.pem \
    if [ -s /run/ca_bundle.pem ]; then export PIP_CERT=/run/ca_bundle.pem; fi \
    && /venv/bin/pip install --require-hashes --only-binary=:all: --disable-pip-version-check -r /requirements.txt \
    && /venv/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE} AS web
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 FLASK_APP=manage:make
COPY --from=packages /venv /venv
WORKDIR /srv/web
COPY web .
# Readable also where it was cloned under a strict umask. The root file system will be read-only, so what
# Python would compile at the start is compiled here.
RUN chmod -R a+rX . && python -m compileall -q -x migrations .
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["./entrypoint"]
CMD ["gunicorn", "run:app"]

FROM ${POSTGRES_IMAGE} AS db
COPY --chmod=644 db/postgresql.conf /etc/postgresql/postgresql.conf
# Run once, when the image's entrypoint has made the cluster.
COPY --chmod=644 db/roles.sql /docker-entrypoint-initdb.d/roles.sql
USER 999:999
CMD ["postgres", "-c", "config_file=/etc/postgresql/postgresql.conf"]

FROM ${NGINX_IMAGE} AS nginx
COPY --chmod=755 nginx/healthcheck nginx/hash-static nginx/keep /usr/local/bin/
# After the entrypoint has rendered the templates. A volume that is mounted on an empty folder belongs to its owner.
RUN printf '#!/bin/sh\nexec keep image\n' >/docker-entrypoint.d/90-keep.sh && chmod 755 /docker-entrypoint.d/90-keep.sh \
    && install -d -o 101 -g 101 -m 700 /etc/nginx/tls /var/lib/nginx
COPY nginx/nginx.conf /etc/nginx/nginx.conf
COPY nginx/snippets /etc/nginx/snippets
COPY nginx/templates /etc/nginx/templates
COPY web/app/static /usr/share/nginx/static
RUN chmod -R a+rX /etc/nginx/nginx.conf /etc/nginx/snippets /etc/nginx/templates /usr/share/nginx
USER 101:101
EXPOSE 8080
CMD ["nginx", "-c", "/var/lib/nginx/conf/nginx.conf", "-g", "daemon off;"]
