"""The web entry point: `gunicorn shielding.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
application = get_wsgi_application()
