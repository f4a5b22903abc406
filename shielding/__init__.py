"""The Shielding project: settings, pages that show all apps together, and the ground floor."""

from shielding.celery import app as celery_app

__all__ = ["celery_app"]
