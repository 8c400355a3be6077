from .access import current_user, login_required
from .api import api
from .mount import init_app
from .owned import Owned
from .pages import pages

__all__ = ["Owned", "api", "current_user", "init_app", "login_required", "pages"]
