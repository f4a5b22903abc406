"""Loads the templates that come with the product."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from cohort.rules import Audience, Channel
from letters import wording
from letters.actions.drafts import TemplateNotUsable, check_marks, next_number
from letters.models import Campaign, Template, TemplateVersion, Translation
from letters.queries.templates import in_use

SHIPPED = Path(__file__).parent.parent / "shipped"


@dataclass(frozen=True)
class Loaded:
    """What `load_templates` did: what has new words, and the templates that were the same."""

    new: tuple[TemplateVersion, ...]
    unchanged: tuple[str, ...]
    translations: tuple[Translation, ...] = ()


@transaction.atomic
def load_templates(*, at: datetime, folder: Path = SHIPPED) -> Loaded:
    """Loads every `<campaign>-<channel>.toml` of a folder, the campaigns they name, and `<language>/<same name>`.

    What names no campaign can be drafted and approved, and no batch of it planned; a campaign is about people on
    the list unless it says `audience = "REMOVED"`. A template whose words
    differ from those loaded last gets a new version; the rest are left alone, so loading twice changes
    nothing. It is approved at once, unless words of the centre's own are in use: then it is a draft beside
    them. Translations are always drafts. Raises TemplateNotUsable, and then loads none.
    """
    new: list[TemplateVersion] = []
    unchanged: list[str] = []
    translations: list[Translation] = []
    for path in sorted(folder.glob("*.toml")):
        source = _read(path)
        if "campaign" in source:
            audience = Audience(source.get("audience", Audience.LISTED))
            Campaign.objects.get_or_create(
                slug=path.stem.rpartition("-")[0], defaults={"name": source["campaign"], "audience": audience.value}
            )
        template, _ = Template.objects.get_or_create(
            slug=path.stem, defaults={"name": source["name"], "channel": Channel(source["channel"]).value}
        )
        Template.objects.select_for_update().get(pk=template.pk)  # versions are numbered one after another
        version = template.versions.filter(drafted_by=None).order_by("-number").first()
        if version is None or (version.subject, version.body) != (source["subject"], source["body"]):
            version = _add(template, source, at)
            new.append(version)
        else:
            unchanged.append(template.slug)
        translations += _translations(version, sorted(folder.glob(f"*/{path.name}")), at)
    return Loaded(tuple(new), tuple(unchanged), tuple(translations))


def _read(path: Path) -> dict[str, Any]:
    source = tomllib.loads(path.read_text(encoding="utf-8"))
    return {**source, "subject": source.get("subject", ""), "body": wording.tidy(source["body"])}


def _add(template: Template, source: dict[str, Any], at: datetime) -> TemplateVersion:
    words = {"subject": source["subject"], "body": source["body"]}
    check_marks(template, **words)
    of_our_own = (in_use(template) or TemplateVersion()).drafted_by_id is not None
    return template.versions.create(
        number=next_number(template), drafted_at=at, approved_at=None if of_our_own else at, **words
    )


def _translations(version: TemplateVersion, paths: Iterable[Path], at: datetime) -> Iterable[Translation]:
    for path in paths:
        source, language = _read(path), path.parent.name
        words = {"language": language, "subject": source["subject"], "body": source["body"]}
        channel = Channel(version.template.channel)
        if found := wording.translation_problems(words["body"], version.body, channel, subject=words["subject"]):
            raise TemplateNotUsable(f"{version.template.name} in {language}", found)
        if not version.translations.filter(drafted_by=None, **words).exists():
            yield version.translations.create(is_machine_made=source["machine_made"], drafted_at=at, **words)
