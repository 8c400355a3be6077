"""gunicorn's settings: https://docs.gunicorn.org/en/stable/settings.html"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
# What was there before a reload; the platform too, where each worker loads the app by itself.
stale = ("config",) if "run" in sys.modules else ("config", "slipway")
for name in [name for name in sys.modules if name.partition(".")[0] in stale]:
    del sys.modules[name]

from config import load  # noqa: E402 # found by the path that is set above
from slipway.http.request_log import logging_config  # noqa: E402 # likewise
from slipway.server.hooks import Logger, child_exit, pre_fork  # noqa: E402, F401 # likewise; gunicorn calls them
from slipway.server.worker import Worker  # noqa: E402 # likewise

settings = load()
if settings.DEVELOPMENT:
    from slipway.server.hooks import post_fork, post_worker_init  # noqa: F401 # gunicorn calls them

bind = os.environ.get("WEB_BIND", "0.0.0.0:8000")
worker_class = Worker
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS

# Longer than nginx keeps an idle connection (30 s), so that it is never gunicorn who closes one
# that nginx is about to send a request on. A worker that reloads would wait for its idle connections.
keepalive = 0 if settings.DEVELOPMENT else 75
# Longer than a statement may take (config.py), shorter than nginx waits (nginx/snippets/timeouts.conf).
timeout = 30
graceful_timeout = 30

# Code that is loaded before the fork is shared between the workers, but cannot be reloaded.
preload_app = not settings.DEVELOPMENT

# How long a line, how many headers and which methods: nginx and the app say, in the contract's form.
limit_request_line = 0
limit_request_fields = 32768
limit_request_field_size = 0
permit_unconventional_http_method = True

# nginx's X-Forwarded-* headers are read by the app (werkzeug's ProxyFix), not by gunicorn.
forwarded_allow_ips = ""

logger_class = Logger
logconfig_dict = logging_config(settings.LOG_FORMAT, settings.LOG_LEVEL)
control_socket_disable = True
# The workers' heartbeats are files, and a busy disk must not stop them.
shm = Path("/dev/shm")  # noqa: S108 # gunicorn makes its files there safely
worker_tmp_dir = str(shm) if shm.is_dir() else None
