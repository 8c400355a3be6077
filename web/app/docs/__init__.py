from .pages import pages

__all__ = ["pages"]
