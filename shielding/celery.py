"""The Celery application. Redis only wakes workers: every job is a row in PostgreSQL first."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")

app = Celery("shielding")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
