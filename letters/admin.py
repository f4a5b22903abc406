"""Administration of templates: a version is added, then never changed. Batches use the latest."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from cohort.rules import Channel
from letters import wording
from letters.actions.templates import add_version
from letters.models import Template, TemplateVersion
from shielding.administration import ByRole


class VersionForm(forms.ModelForm):
    """The words of a new version, refused where they hold a mark that nothing stands for."""

    class Meta:
        model = TemplateVersion
        fields = ("template", "subject", "body")
        help_texts = {
            "body": "Leave an empty line between paragraphs. In letters, “# ” begins a heading, “* ” an item of a "
            "list, and “---” a new page. Placeholders: ((name)), ((date)), ((practice_name)), ((practice_phone)); "
            "texts have only the last two. ((working_age?? ... )) and ((practice_has_phone?? ... )) hold what only "
            "some people get."
        }
        widgets = {"body": forms.Textarea(attrs={"rows": 30, "cols": 100})}

    def clean(self) -> dict[str, Any]:
        """Returns the words. Each thing wrong with them is an error of the body."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        template = cleaned.get("template")
        if template:
            found = wording.problems(
                cleaned.get("body", ""), Channel(template.channel), subject=cleaned.get("subject", "")
            )
            if found:
                raise ValidationError({"body": found})
        return cleaned


@admin.register(Template)
class TemplateAdmin(ByRole, admin.ModelAdmin):
    """The letters and texts there are. New ones come with a release of the product."""

    may_add = may_change = False
    list_display = ("name", "slug", "channel")
    ordering = ("name",)


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ByRole, admin.ModelAdmin):
    """Versions of templates: add one, or read what was sent."""

    may_change = False
    form = VersionForm
    list_display = ("template", "number", "approved_at", "approved_by")
    list_filter = ("template",)
    list_select_related = ("template", "approved_by")
    ordering = ("template__name", "-number")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Adds the version through the action, which numbers it; the same words again add none."""
        words = form.cleaned_data
        made = add_version(
            template=words["template"],
            subject=words["subject"],
            body=words["body"],
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
        obj.__dict__.update(made.__dict__)
