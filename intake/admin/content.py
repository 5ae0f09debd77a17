"""Questionnaires and rules as staff read them: in words, with version and approval."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import audit
from intake.admin.audited import DeskAdmin, member
from intake.questionnaires.load import active_questionnaire
from intake.questionnaires.models import Questionnaire
from intake.questionnaires.pages import pages
from intake.review.hit_rate import HitRate, hit_rates
from intake.review.library import quote
from intake.review.page import grades
from intake.review.rule_record import version_lines
from intake.review.rule_words import rule_words
from intake.screening.models import Rule


def on_either_side(text: str) -> str:
    """A rule's text before it is known which side it is about."""
    return text.replace("{side}", _("left or right")).replace("{other}", _("other"))


class ReadOnlyAdmin(DeskAdmin):
    """Versions are data that the loader brings in; nothing is edited here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("approval"))
    def approval(self, obj: Any) -> str:
        if obj.approved_at is None:
            return _("Draft: not yet approved by a physio")
        return _("Approved by %(name)s") % {"name": obj.approved_by}

    def detail(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The version asked for. Raises `Http404` for an unknown one and for a role that may not see it."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        return obj


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnlyAdmin):
    list_display = ("title", "version", "status", "approval")
    list_select_related = ("approved_by",)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        questionnaire = self.found(request, object_id)
        tree = questionnaire.tree()
        context = {
            "title": _("Questionnaire"),
            "questionnaire": questionnaire,
            "approval": self.approval(questionnaire),
            "pages": pages(tree),
            "questions": sum(1 for _item in tree.questions()),
        }
        return self.detail(request, "admin/intake/questionnaire/detail.html", context)


@admin.register(Rule)
class RuleAdmin(ReadOnlyAdmin):
    list_display = ("title", "kind", "version", "status", "approval")
    list_filter = ("kind", "status")
    list_select_related = ("approved_by",)
    list_per_page = 100

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        rule = self.found(request, object_id)
        rates = self.rates(request, rule) if rule.kind == Rule.Kind.CHAIN else ()
        definition = rule.parsed()
        quoted = quote(
            links=definition.links,
            tests=definition.suggested_checks,
            lessons=[definition.lesson] if definition.lesson else [],
            sources=definition.sources,
        )
        context = {
            "title": _("Rule"),
            "rule": rule,
            "definition": definition,
            "approval": self.approval(rule),
            "words": rule_words(definition, active_questionnaire().tree()),
            "explanation": capfirst(on_either_side(definition.explanation or definition.staff_note)),
            "grades": grades(definition, quoted.steps),
            "checks": [quoted.checks[slug] for slug in definition.suggested_checks if slug in quoted.checks],
            "lesson": quoted.lessons.get(definition.lesson),
            "sources": [quoted.sources[code] for code in definition.sources if code in quoted.sources],
            "versions": version_lines(rule.rule_id),
            "rates": rates,
            "rate": next((one for one in rates if one.version == rule.version), None),
        }
        return self.detail(request, "admin/intake/rule/detail.html", context)

    def rates(self, request: HttpRequest, rule: Rule) -> tuple[HitRate, ...]:
        """How often its versions were right. Counts only, but of patients: the trail says who looked."""
        user = member(request)
        with audit.audited("rule.counted", by=audit.staff(user), objects={"rule": [rule.pk]}):
            return hit_rates(user, rule.rule_id)
