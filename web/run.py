"""Makes the app: gunicorn loads `run:app`, and `python run.py` serves it on PORT by Flask's own server."""

import logging.config
import os

from app import create_app
from app.logs import logging_config

app = create_app()

if __name__ == "__main__":
    logging.config.dictConfig(logging_config(app.config["LOG_FORMAT"], app.config["LOG_LEVEL"]))
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "5000")))
