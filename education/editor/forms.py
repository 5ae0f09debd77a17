"""The form of a lesson: named errors for what cannot be stored, warnings for what should not be published."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm

from education.chain.publishing import scheduled
from education.editor.fields import LinesField, SelfChecksField
from education.lessons.models import Lesson


class LessonForm(WagtailAdminModelForm):
    """Lists are typed as lines. A duplicate address names the lesson that has it."""

    key_points = LinesField(
        required=False, label=gettext_lazy("Key points"), help_text=gettext_lazy("One a line.")
    )
    self_check = SelfChecksField(
        required=False,
        label=gettext_lazy("Self-check"),
        help_text=gettext_lazy(
            "A question, then its options on lines that begin with - , the one that fits with * , then "
            "a line with = that says why. An empty line between questions."
        ),
    )

    def clean_related(self) -> Any:
        related = self.cleaned_data["related"]
        if any(other.pk == self.instance.pk for other in related):
            raise ValidationError(_("A lesson cannot be related to itself."))
        return related

    def clean_slug(self) -> Any:
        slug = self.cleaned_data["slug"]
        other = Lesson.objects.filter(slug=slug).exclude(pk=self.instance.pk).first()
        if other is not None:
            raise ValidationError(
                _("The lesson “%(title)s” already has this address.") % {"title": other.title}
            )
        for draft in scheduled(Lesson).exclude(object_id=str(self.instance.pk)):
            if draft.content["slug"] == slug:
                raise ValidationError(
                    _("The lesson “%(title)s” is about to get this address: it is scheduled.")
                    % {"title": draft.content["title"]}
                )
        return slug
