"""The generated documents are up to date."""

from pathlib import Path

import pytest
from django.conf import settings

from shielding.documents import documents


@pytest.mark.parametrize("path", ["docs/states.md", "docs/roles.md"])
def test_generated_document_is_what_the_code_says(path: str) -> None:
    assert (Path(settings.BASE_DIR) / path).read_text() == documents()[path], "run `manage.py write_docs`"
