from .api import api
from .pages import pages

__all__ = ["api", "pages"]
