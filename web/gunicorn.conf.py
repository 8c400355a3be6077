"""gunicorn's settings: https://docs.gunicorn.org/en/stable/settings.html"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from app.logs import logging_config
from config import integer, load

settings = load()

bind = os.environ.get("WEB_BIND", "0.0.0.0:8000")
worker_class = "gthread"
workers = integer(os.environ, "WEB_WORKERS", 2)
threads = integer(os.environ, "WEB_THREADS", 4)

# Longer than nginx keeps an idle connection (30 s), so that it is never gunicorn who closes one
# that nginx is about to send a request on.
keepalive = 75
timeout = 60
graceful_timeout = 30

# Code that is loaded before the fork is shared between the workers, but cannot be reloaded.
reload = settings.DEVELOPMENT
preload_app = not reload

# nginx's X-Forwarded-* headers are read by the app (werkzeug's ProxyFix), not by gunicorn.
forwarded_allow_ips = ""
logconfig_dict = logging_config(settings.LOG_FORMAT, settings.LOG_LEVEL)
control_socket_disable = True
# The workers' heartbeats are files, and a busy disk must not stop them.
shm = Path("/dev/shm")  # noqa: S108 # gunicorn makes its files there safely
worker_tmp_dir = str(shm) if shm.is_dir() else None
