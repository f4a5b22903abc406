"""Reads of code lists: their versions, their codes, and what differs between two versions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Max, Q, QuerySet

from cohort.codelists import Code
from cohort.models import CodeList, CodeListCode, CodeListVersion, CriterionVersion
from cohort.queries.criteria import criteria_in_force


@dataclass(frozen=True)
class ListRow:
    """One code list as the list of lists shows it. `criteria` are in force and read it, at some version."""

    code_list: CodeList
    version: CodeListVersion
    codes: int
    criteria: list[CriterionVersion] = field(default_factory=list)


@dataclass(frozen=True)
class ListDifference:
    """What differs between two versions of a list: codes by system and code; `renamed` has (before, after)."""

    added: list[Code]
    removed: list[Code]
    renamed: list[tuple[Code, Code]]

    @property
    def is_nothing(self) -> bool:
        """Whether the versions say the same."""
        return not (self.added or self.removed or self.renamed)


def every_list() -> list[CodeList]:
    """Returns every code list, by name."""
    return list(CodeList.objects.order_by("name"))


def list_named(slug: str) -> CodeList | None:
    """Returns the code list of that slug, or None."""
    return CodeList.objects.filter(slug=slug).first()


def codes_like(versions: Iterable[CodeListVersion], typed: str, *, most: int) -> list[CodeListCode]:
    """Returns codes of these versions whose term holds, or whose code begins with, what was typed; `most` at most."""
    codes = CodeListCode.objects.filter(version__in=versions).select_related("version__code_list")
    matching = codes.filter(term__icontains=typed) | codes.filter(code__istartswith=typed)
    return list(matching.order_by("version__code_list__name", "term", "code")[:most])


def systems_of(versions: Iterable[CodeListVersion], code: str) -> list[str]:
    """Returns the systems in which these versions have the code, alone or in a pair, in order."""
    rows = CodeListCode.objects.filter(version__in=versions)
    found = rows.filter(code=code) | rows.filter(paired_code=code)
    return sorted(set(found.values_list("system", flat=True)))


def list_rows() -> list[ListRow]:
    """Returns every code list at its newest version, by name."""
    numbers = dict(CodeListVersion.objects.values_list("code_list").annotate(newest=Max("number")))
    newest = CodeListVersion.objects.annotate(size=Count("codes")).select_related("code_list")
    readers = reading()
    return sorted(
        (
            ListRow(version.code_list, version, version.size, readers.get(version.code_list_id, []))
            for version in newest
            if numbers[version.code_list_id] == version.number
        ),
        key=lambda row: row.code_list.name.lower(),
    )


def reading() -> dict[int, list[CriterionVersion]]:
    """Returns the criteria in force that read each code list, by the list's key."""
    found: dict[int, list[CriterionVersion]] = {}
    for criterion in criteria_in_force():
        for each in criterion.code_lists.all():
            found.setdefault(each.code_list_id, []).append(criterion)
    return found


def versions_of(code_list: CodeList) -> list[CodeListVersion]:
    """Returns the versions of a list, the newest first, each with `size`, its number of codes."""
    versions = code_list.versions.annotate(size=Count("codes")).select_related("code_list", "loaded_by")
    return list(versions.order_by("-number"))


def codes_of(version: CodeListVersion, *, search: str = "") -> QuerySet[CodeListCode]:
    """Returns the codes of a version by system and code: those whose code begins with, or whose term has, `search`."""
    codes = version.codes.order_by("system", "code", "paired_code")
    if search:
        begins = Q(code__istartswith=search) | Q(paired_code__istartswith=search)
        codes = codes.filter(begins | Q(term__icontains=search))
    return codes


def stored(version: CodeListVersion) -> list[Code]:
    """Returns the codes of a version as they are read from a file."""
    return [Code(*row) for row in version.codes.values_list("system", "code", "paired_code", "term")]


def difference(before: list[Code], after: list[Code]) -> ListDifference:
    """Returns what differs between two lists of codes, by system and code."""
    old, new = ({code.key: code for code in codes} for codes in (before, after))
    return ListDifference(
        added=[new[key] for key in sorted(new.keys() - old.keys())],
        removed=[old[key] for key in sorted(old.keys() - new.keys())],
        renamed=[(old[key], new[key]) for key in sorted(old.keys() & new.keys()) if old[key].term != new[key].term],
    )
