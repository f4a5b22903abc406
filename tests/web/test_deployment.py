"""What Docker runs: hashed static files behind a proxy that ends TLS, with nothing of a local machine."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

SCRIPT = """
import django, sys
django.setup()
from django.conf import settings
settings.STATIC_ROOT = sys.argv[1]
from django.core.management import call_command
call_command("collectstatic", interactive=False, verbosity=0)
from django.test import Client
answer = Client().get("/accounts/login/", headers={"host": "shielding.example", "x-forwarded-proto": "https"})
print(answer.status_code)
print(answer.content.decode())
"""


def test_pages_name_hashed_static_files_when_deployed_behind_a_proxy(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SERVICE_URL": "https://shielding.example",
        "ALLOWED_HOSTS": "shielding.example",
        "BEHIND_PROXY": "true",
        "SECRET_KEY": "long and random and kept elsewhere, fifty characters or more",
        "DJANGO_SETTINGS_MODULE": "shielding.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "static")],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    status, page = done.stdout.split("\n", 1)
    assert status == "200"
    assert "/static/nhsuk/nhsuk-frontend.min." in page
    assert "/static/nhsuk/nhsuk-frontend.min.css" not in page
