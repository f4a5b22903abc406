"""Publishes versions of code lists. A version is never changed: other content is the next version."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from cohort.codelists import Code
from cohort.models import CodeList, CodeListCode, CodeListVersion
from cohort.policies import check_can_change_criteria
from shielding.accounts.models import Membership, User


class FileAlreadyUsed(Exception):
    """The file made a version of this list before, and cannot make another; the message says what to do."""


def publish_code_list(
    *, slug: str, name: str, rows: Iterable[Code], origin: str, sha256: str, by: Membership | None, at: datetime
) -> CodeListVersion | None:
    """Returns the version that a clinician made of a file, or None where it is the newest: see load_code_list."""
    user = check_can_change_criteria(by).user
    return load_code_list(slug=slug, name=name, rows=rows, origin=origin, sha256=sha256, at=at, user=user)


@transaction.atomic
def load_code_list(
    *, slug: str, name: str, rows: Iterable[Code], origin: str, sha256: str, at: datetime, user: User | None = None
) -> CodeListVersion | None:
    """Returns the new version of the list, or None if the newest one is this very file with these codes.

    `sha256` is that of the file. The list is made if it is new; its name becomes `name`. Raises
    ValueError without any rows, and FileAlreadyUsed where an older version has this file or the
    newest has it with other codes.
    """
    codes = list({code.key: code for code in reversed(list(rows))}.values())[::-1]
    if not codes:
        raise ValueError("A version of a code list has at least one code.")
    CodeList.objects.get_or_create(slug=slug, defaults={"name": name})
    code_list = CodeList.objects.select_for_update().get(slug=slug)
    if code_list.name != name:
        code_list.name = name
        code_list.save(update_fields=["name"])
    newest = code_list.versions.order_by("-number").first()
    same = code_list.versions.filter(sha256=sha256).first()
    if same is not None:
        if same == newest and {Code(*row) for row in _stored(same)} == set(codes):
            return None
        was = "read in another way" if same == newest else f"replaced by version {newest and newest.number}"
        raise FileAlreadyUsed(
            f"This file is version {same.number} of {slug}, {was}. To make it the next version,"
            " change the file (a blank line at its end will do) and load it again."
        )
    version = CodeListVersion.objects.create(
        code_list=code_list,
        number=newest.number + 1 if newest else 1,
        origin=origin,
        sha256=sha256,
        loaded_at=at,
        loaded_by=user,
    )
    CodeListCode.objects.bulk_create(
        [
            CodeListCode(
                version=version, system=code.system, code=code.code, paired_code=code.paired_code, term=code.term
            )
            for code in codes
        ],
        batch_size=2000,
    )
    return version


def _stored(version: CodeListVersion) -> list[tuple[str, str, str, str]]:
    return list(version.codes.values_list("system", "code", "paired_code", "term"))
