"""Ask for a first evaluation, from any lesson, without a link. It looks the same for everybody."""

from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.core import signing
from django.core.validators import EmailValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from education.lessons.models import Lesson
from education.visitors.limits import turned_away, visitor_address
from intake import journey
from intake.patients import asking
from intake.patients.birth_date import BirthDateProblem, TypedDate
from intake.patients.models import EvaluationRequest

# Nobody types all of it faster than this.
FASTEST: Final = timedelta(seconds=3)
STAMP: Final = signing.TimestampSigner(salt="intake.ask")


def stamp() -> str:
    """When the page was shown, signed."""
    return STAMP.sign("shown")


def is_ours(stamped: str) -> bool:
    """Whether the page that was sent is one that we showed."""
    try:
        STAMP.unsign(stamped)
    except signing.BadSignature:
        return False
    return True


def too_fast(stamped: str) -> bool:
    """Whether the form came back faster than a person types, or without our stamp."""
    try:
        STAMP.unsign(stamped, max_age=FASTEST)
    except signing.SignatureExpired:
        return False
    except signing.BadSignature:
        return True
    return True


def text(label: Any, longest: int, required: Any = None, **options: Any) -> forms.CharField:
    """A line of text; `required` is what to say where it is empty."""
    return forms.CharField(
        label=label,
        max_length=longest,
        required=required is not None,
        error_messages={
            "required": required or "",
            "max_length": gettext_lazy("Use %(limit_value)d letters or fewer."),
        },
        **options,
    )


class AskForm(forms.Form):
    """Everything but the date of birth, whose three boxes are judged by `TypedDate`."""

    given_name = text(gettext_lazy("First name"), 80, gettext_lazy("Enter your first name."))
    family_name = text(gettext_lazy("Last name"), 80, gettext_lazy("Enter your last name."))
    birth_date = forms.Field(label=gettext_lazy("Your date of birth"), required=False)
    guardian_name = text(gettext_lazy("Parent or guardian"), 120)
    email = text(
        gettext_lazy("E-mail address"),
        254,
        validators=[EmailValidator(gettext_lazy("Enter an e-mail address like name@example.com."))],
    )
    phone = text(gettext_lazy("Phone number"), 30)
    preferred_times = text(gettext_lazy("Times that suit you"), 300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.typed = TypedDate(*(str(self.data.get(part, "")) for part in ("month", "day", "year")))
        self.needs_guardian = False

    def clean_birth_date(self) -> date:
        try:
            return self.typed.as_date(timezone.localdate())
        except BirthDateProblem as problem:
            raise forms.ValidationError(str(problem)) from None

    def clean_phone(self) -> str:
        try:
            return asking.check_phone(self.cleaned_data["phone"])
        except asking.PhoneProblem as problem:
            raise forms.ValidationError(str(problem)) from None

    def clean(self) -> None:
        answers = self.cleaned_data
        born = answers.get("birth_date")
        self.needs_guardian = bool(born and asking.is_minor(born, timezone.localdate()))
        if self.needs_guardian and not answers.get("guardian_name") and "guardian_name" not in self.errors:
            self.add_error("guardian_name", _("You are under 18. Enter the name of a parent or guardian."))
        typed = self.data.get("email", "").strip() or self.data.get("phone", "").strip()
        if not typed:
            self.add_error("email", _("Enter an e-mail or a phone number."))

    @property
    def error_entries(self) -> list[dict[str, str]]:
        """For the summary on top: each message, and the control it leads to."""
        return [
            {"target": "month" if name == "birth_date" else name, "message": str(messages[0])}
            for name in self.fields
            if (messages := self.errors.get(name))
        ]


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Known or not, a person gets the same answer; machines and floods get a polite no with the phone.

    Whoever is faster than typing is asked to look again: the browser may have filled the form in for them.
    """
    if request.method != "POST":
        return show(request, AskForm(), source_of(request.GET.get("from", "")), stamp())
    source = source_of(request.POST.get("from", ""))
    stamped = request.POST.get("shown", "")
    # Nobody sees this field; only machines fill it in.
    if request.POST.get("topic"):
        return refuse(request)
    form = AskForm(request.POST)
    hasty = too_fast(stamped)
    if not form.is_valid() or hasty:
        return show(request, form, source, stamped if is_ours(stamped) else stamp(), look_again=hasty)
    if not asking.may_ask(visitor_address(request)):
        return refuse(request)
    answers = dict(form.cleaned_data)
    if not form.needs_guardian:
        answers["guardian_name"] = ""
    journey.ask_for_evaluation(
        asked=EvaluationRequest(**answers, source=source.slug if source is not None else "")
    )
    response = redirect("evaluation:asked" if answers["email"] else "evaluation:asked_by_phone")
    response.status_code = 303
    return response


def source_of(slug: str) -> Lesson | None:
    """The lesson she came from; None for anything that is not one."""
    if "\x00" in slug:
        return None
    return Lesson.objects.live().only("slug", "title").filter(slug=slug).first()


def show(
    request: HttpRequest,
    form: AskForm,
    source: Lesson | None,
    stamped: str,
    *,
    look_again: bool = False,
) -> HttpResponse:
    response = render(
        request,
        "intake/ask.html",
        {"form": form, "typed": form.typed, "source": source, "shown": stamped, "look_again": look_again},
    )
    if request.method == "POST":
        response.headers["Cache-Control"] = "no-store"
    return response


def refuse(request: HttpRequest) -> HttpResponse:
    response = turned_away(render(request, "intake/ask_refused.html"), asking.ASKING_WINDOW)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
def asked(request: HttpRequest, *, by_phone: bool = False) -> HttpResponse:
    """What happens next: a mail with a link is on its way, or, where only a phone was given, a call."""
    return render(request, "intake/asked.html", {"by_phone": by_phone})
