"""The pages' tests share the browser."""

from tests.browser import axe, browser, page

__all__ = ["axe", "browser", "page"]
