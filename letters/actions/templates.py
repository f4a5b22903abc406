"""Loads the templates that come with the product, and adds versions of any template."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Max

from cohort.rules import Channel
from letters import wording
from letters.models import Campaign, Template, TemplateVersion
from shielding.accounts.models import User

SHIPPED = Path(__file__).parent.parent / "shipped"


class TemplateNotUsable(ValueError):
    """The words of a template cannot be used; `problems` says why, fit to show."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__(f"{name}: {' '.join(problems)}")
        self.problems = problems


@dataclass(frozen=True)
class Loaded:
    """What `load_templates` did: the templates that have a new version, and those that were the same."""

    new: tuple[TemplateVersion, ...]
    unchanged: tuple[str, ...]


@transaction.atomic
def load_templates(*, at: datetime, folder: Path = SHIPPED, by: User | None = None) -> Loaded:
    """Loads every `<campaign>-<channel>.toml` of a folder, and the campaigns they name.

    A template whose words differ from its latest version gets a new version; the rest are left
    alone, so loading twice changes nothing. `by` is None for what is shipped. Raises
    TemplateNotUsable, and then loads none of them.
    """
    new: list[TemplateVersion] = []
    unchanged: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        source = tomllib.loads(path.read_text(encoding="utf-8"))
        Campaign.objects.get_or_create(slug=path.stem.rpartition("-")[0], defaults={"name": source["campaign"]})
        template, _ = Template.objects.get_or_create(
            slug=path.stem, defaults={"name": source["name"], "channel": Channel(source["channel"]).value}
        )
        version = _add_if_new(template, subject=source.get("subject", ""), body=source["body"].strip(), by=by, at=at)
        if version:
            new.append(version)
        else:
            unchanged.append(template.slug)
    return Loaded(tuple(new), tuple(unchanged))


@transaction.atomic
def add_version(*, template: Template, subject: str, body: str, by: User, at: datetime) -> TemplateVersion:
    """Adds a version of a template; batches planned from now on use it. Raises TemplateNotUsable.

    Words that are the latest version's own make no new version: that version is returned.
    """
    made = _add_if_new(template, subject=subject.strip(), body=body.strip(), by=by, at=at)
    return made or template.versions.latest("number")


def _add_if_new(
    template: Template, *, subject: str, body: str, by: User | None, at: datetime
) -> TemplateVersion | None:
    found = wording.problems(body, Channel(template.channel), subject=subject)
    if found:
        raise TemplateNotUsable(template.name, found)
    Template.objects.select_for_update().get(pk=template.pk)  # versions are numbered one after another
    latest = template.versions.aggregate(number=Max("number"))["number"] or 0
    if template.versions.filter(number=latest, subject=subject, body=body).exists():
        return None
    return template.versions.create(number=latest + 1, subject=subject, body=body, approved_at=at, approved_by=by)
