"""Reads of templates: what is in use, what waits for approval, and in which languages. No people."""

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from letters.models import Template, TemplateVersion, Translation


def in_use(template: Template) -> TemplateVersion | None:
    """Returns the version that batches planned now use, the latest approved; None where there is none."""
    return template.versions.filter(approved_at__isnull=False).order_by("-number").first()


def translation_for(version: TemplateVersion, language: str) -> Translation | None:
    """Returns the translation that people with this language get: the one approved last; None for English."""
    if not language:
        return None
    approved = version.translations.filter(language=language, approved_at__isnull=False)
    return approved.order_by("-approved_at", "-pk").first()


@dataclass(frozen=True)
class Standing:
    """A template: what is in use, and the drafts and translations that wait."""

    template: Template
    in_use: TemplateVersion | None
    drafts: tuple[TemplateVersion, ...]
    languages: tuple[str, ...]
    translation_drafts: tuple[Translation, ...]


def standings() -> list[Standing]:
    """Returns every template by name, in three queries. Drafts older than what is in use are left out."""
    versions = TemplateVersion.objects.select_related("drafted_by", "approved_by").order_by("-number")
    templates = Template.objects.order_by("name").prefetch_related(
        Prefetch("versions", versions, to_attr="all_versions"),
        Prefetch("all_versions__translations", Translation.objects.order_by("language", "-pk"), to_attr="all_of_them"),
    )
    return [_standing(template) for template in templates]


def _standing(template: Template) -> Standing:
    versions: list[TemplateVersion] = template.all_versions  # type: ignore[attr-defined]
    used = next((version for version in versions if version.approved_at), None)
    drafts = tuple(v for v in versions if v.is_open and (used is None or v.number > used.number))
    live = [*drafts, *([used] if used else [])]
    translations: list[Translation] = [each for version in live for each in version.all_of_them]  # type: ignore[attr-defined]
    of_used = [each for each in translations if used and each.version_id == used.pk and each.approved_at]
    return Standing(
        template=template,
        in_use=used,
        drafts=drafts,
        languages=tuple(dict.fromkeys(each.get_language_display() for each in of_used)),
        translation_drafts=tuple(each for each in translations if each.is_open),
    )


def version(pk: int) -> TemplateVersion | None:
    """Returns a version with its template and people, or None."""
    return _versions().filter(pk=pk).first()


def versions_of(template: Template) -> QuerySet[TemplateVersion]:
    """Returns every version of a template, the newest first."""
    return _versions().filter(template=template).order_by("-number")


def _versions() -> QuerySet[TemplateVersion]:
    return TemplateVersion.objects.select_related("template", "drafted_by", "approved_by", "withdrawn_by")


def template(slug: str) -> Template | None:
    """Returns a template, or None."""
    return Template.objects.filter(slug=slug).first()


def translations_of(version: TemplateVersion) -> QuerySet[Translation]:
    """Returns every translation of a version, by language, the newest first."""
    return _translations().filter(version=version).order_by("language", "-pk")


def translation(pk: int) -> Translation | None:
    """Returns a translation with its version, template and people, or None."""
    return _translations().filter(pk=pk).first()


def _translations() -> QuerySet[Translation]:
    return Translation.objects.select_related("version__template", "drafted_by", "approved_by", "withdrawn_by")
