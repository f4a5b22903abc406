"""The Celery application. Redis only wakes workers: every job is a row in PostgreSQL first."""

import logging
import os

from celery import Celery, Task
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")

logger = logging.getLogger(__name__)

app = Celery("shielding")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def wake(task: Task, *ids: str) -> None:
    """Tells a worker that there is something to do. Without a broker the sweeper finds it later."""
    try:
        task.apply_async(args=ids, retry=False)
    except OperationalError:
        logger.warning("No broker: %s waits for the sweeper", task.name)
