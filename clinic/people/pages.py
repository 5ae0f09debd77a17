"""The owner's pages about who works here, and the page behind the link of an invitation."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic import roles
from clinic.door.stepup import step_up
from clinic.models import User
from clinic.people import staff as people
from intake import audit, journey
from intake.admin.audited import member, see_other
from intake.review.decide import NotAllowed

LONGEST_PASSWORD: Final = 128
NOBODY_YET: Final = "later"

View = Callable[..., HttpResponseBase]


def owners_page(permission: str, *methods: str) -> Callable[[View], View]:
    """A page of the staff site for who holds the permission; for others there is none."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return view(request, *args, **kwargs)

        return checked

    return decorate


READ: Final = ("GET", "HEAD")
READ_WRITE: Final = (*READ, "POST")


def shown(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponseBase:
    """A page in the staff's shell."""
    context = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"staff/{template}", context)


# ---- forms


def text_input(**attrs: str) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "k-in", **attrs})


class RoleField(forms.ChoiceField):
    """A role, by the name that stands in `clinic.roles`. None is chosen for whoever chooses."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=gettext_lazy("Role"),
            choices=[
                ("", gettext_lazy("Choose a role")),
                *((name, name.capitalize()) for name in roles.NAMES),
            ],
            widget=forms.Select(attrs={"class": "k-in k-in-a"}),
            error_messages={
                "required": gettext_lazy("Choose a role."),
                "invalid_choice": gettext_lazy("Choose a role."),
            },
            **options,
        )


class InviteForm(forms.Form):
    """Whom to ask, and as what."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=150,
        widget=forms.EmailInput(attrs={"class": "k-in", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Enter an e-mail address."),
            "invalid": gettext_lazy("Enter an e-mail address like name@example.com."),
        },
    )
    role = RoleField()


class NameForm(forms.Form):
    """What somebody is called."""

    first_name = forms.CharField(
        label=gettext_lazy("First name"),
        max_length=150,
        widget=text_input(autocomplete="given-name"),
        error_messages={"required": gettext_lazy("Enter the first name.")},
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"),
        max_length=150,
        widget=text_input(autocomplete="family-name"),
        error_messages={"required": gettext_lazy("Enter the last name.")},
    )


class PersonForm(NameForm):
    """A member of staff as an owner changes one; without a role for oneself."""

    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=20,
        required=False,
        widget=text_input(autocomplete="off"),
        help_text=gettext_lazy("Patients read it before the last name, as in “Dr. Ortiz”."),
    )
    role = RoleField()

    def __init__(self, *args: Any, own: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if own:
            del self.fields["role"]


class HandOverForm(forms.Form):
    """Who takes over. leaves: the other one is removed with it, whether or not anybody can."""

    to = forms.ChoiceField(
        label=gettext_lazy("Who takes over?"),
        widget=forms.Select(attrs={"class": "k-in k-in-a"}),
        error_messages={
            "required": gettext_lazy("Choose who takes over."),
            "invalid_choice": gettext_lazy("Choose who takes over."),
        },
    )
    tell = forms.BooleanField(
        label=gettext_lazy("E-mail the patients of visits to come who sees them now"),
        required=False,
        initial=True,
    )

    def __init__(self, *args: Any, successors: list[User], leaves: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", _("Choose somebody")), *((str(user.pk), str(user)) for user in successors)]
        if leaves:
            choices.append((NOBODY_YET, _("Nobody yet: the front desk changes the visits one by one")))
        self.fields["to"].choices = choices  # type: ignore[attr-defined]  # it is a ChoiceField


class JoinForm(NameForm):
    """Name and password of a new account; `user` is who the password must not resemble."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"class": "k-in", "autocomplete": "new-password"}),
        help_text=gettext_lazy("12 characters or more. A few words that do not belong together are good."),
        error_messages={
            "required": gettext_lazy("Choose a password."),
            "max_length": gettext_lazy("Use %(limit_value)d characters or fewer."),
        },
    )
    again = forms.CharField(
        label=gettext_lazy("Password again"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"class": "k-in", "autocomplete": "new-password"}),
        error_messages={
            "required": gettext_lazy("Type the password again."),
            "max_length": gettext_lazy("Use %(limit_value)d characters or fewer."),
        },
    )

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.email = email

    def clean(self) -> dict[str, Any] | None:
        found = super().clean()
        password, again = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if password:
            names = {name: self.cleaned_data.get(name, "") for name in ("first_name", "last_name")}
            try:
                validate_password(password, User(username=self.email, email=self.email, **names))
            except ValidationError as problem:
                self.add_error("password", problem)
            if again and again != password:
                self.add_error("again", _("The two passwords differ. Type the same one twice."))
        return found


def refuse(form: forms.Form, refused: NotAllowed) -> None:
    """Say it beside its field, or above the form where the page has no such field."""
    form.add_error(refused.field if refused.field in form.fields else None, refused.message)


# ---- the list


@owners_page(roles.SEES_PEOPLE, *READ)
def people_view(request: HttpRequest) -> HttpResponseBase:
    """Who works here, and who is invited."""
    return shown(
        request,
        "people/list.html",
        _("People"),
        people=people.people(),
        pending=people.pending(),
    )


@owners_page(roles.INVITES, *READ_WRITE)
@step_up
def invite_view(request: HttpRequest) -> HttpResponseBase:
    form = InviteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            people.invite(**form.cleaned_data, by=audit.staff(member(request)))
        except NotAllowed as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Invited. The e-mail with the link is on its way."))
            return see_other(reverse("admin:people"))
    return shown(request, "people/invite.html", _("Invite somebody"), form=form)


def _invitation(
    request: HttpRequest, key: UUID, change: Callable[..., object], told: str
) -> HttpResponseBase:
    try:
        change(invitation_id=key, by=audit.staff(member(request)))
    except people.NotLive:
        raise Http404 from None
    except NotAllowed as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, told)
    return see_other(reverse("admin:people"))


@owners_page(roles.INVITES, "POST")
def again_view(request: HttpRequest, key: UUID) -> HttpResponseBase:
    told = _("A new link is on its way. The one before has ended.")
    return _invitation(request, key, people.invite_again, told)


@owners_page(roles.INVITES, "POST")
def take_back_view(request: HttpRequest, key: UUID) -> HttpResponseBase:
    return _invitation(request, key, people.take_back, _("Taken back. The link opens nothing any more."))


# ---- one person


def _person(key: int) -> User:
    user = User.objects.filter(pk=key).first()
    if user is None:
        raise Http404
    return user


@owners_page(roles.CHANGES_PEOPLE, *READ_WRITE)
@step_up
def person_view(request: HttpRequest, key: int) -> HttpResponseBase:
    """Name, title and role of one account, and the ways to its other changes."""
    user, by = _person(key), audit.staff(member(request))
    own, role = user.pk == member(request).pk, people.role_of(user)
    initial = {name: getattr(user, name) for name in ("first_name", "last_name", "title")} | {"role": role}
    form = PersonForm(request.POST if request.method == "POST" else None, initial=initial, own=own)
    if request.method == "POST" and form.is_valid():
        names = {name: form.cleaned_data[name] for name in ("first_name", "last_name", "title")}
        try:
            changed = not own and people.change_role(user=user, role=form.cleaned_data["role"], by=by)
            changed = people.rename(user=user, **names, by=by) or changed
        except NotAllowed as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
            return see_other(reverse("admin:people"))
    context = {"form": form, "person": people.Person(user, role, False), "own": own}
    return shown(request, "people/person.html", _("Change a person"), **context)


@owners_page(roles.CHANGES_PEOPLE, *READ_WRITE)
@step_up
def remove_view(request: HttpRequest, key: int) -> HttpResponseBase:
    """Somebody leaves: how much waits for them, and who takes over."""
    user, by = _person(key), audit.staff(member(request))
    if not user.is_active:
        return see_other(reverse("admin:people_person", args=[key]))
    successors = people.successors(user)
    work = journey.count_open_work(physio=user, by=by)
    sent = request.POST if request.method == "POST" else None
    form = HandOverForm(sent, successors=successors, leaves=True) if work else None
    refused = ""
    if sent is not None and (form is None or form.is_valid()):
        choice = form.cleaned_data["to"] if form else ""
        to = next((one for one in successors if str(one.pk) == choice), None)
        try:
            people.deactivate(
                user=user,
                to=to,
                by=by,
                mail=bool(form and form.cleaned_data["tell"]),
                leave=choice == NOBODY_YET,
            )
        except NotAllowed as problem:
            if form is not None:
                refuse(form, problem)
            refused = problem.message
        else:
            return _after_removal(request, user, to)
    own = user.pk == member(request).pk
    context = {"form": form, "person": user, "work": work, "refused": refused, "own": own}
    title = _("Leave the clinic") if own else _("Remove a person")
    return shown(request, "people/remove.html", title, is_last=people.is_last_owner(user), **context)


@owners_page(roles.CHANGES_PEOPLE, *READ_WRITE)
@step_up
def hand_over_view(request: HttpRequest, key: int) -> HttpResponseBase:
    """Somebody stays, and another physio takes over what waits for them."""
    user, by = _person(key), audit.staff(member(request))
    successors = people.successors(user)
    work = journey.count_open_work(physio=user, by=by)
    if not work:
        messages.info(request, _("No review and no visit waits for %(name)s.") % {"name": user})
        return see_other(reverse("admin:people_person", args=[key]))
    sent = request.POST if request.method == "POST" else None
    form = HandOverForm(sent, successors=successors, leaves=False)
    if sent is not None and form.is_valid():
        to = next(one for one in successors if str(one.pk) == form.cleaned_data["to"])
        try:
            people.hand_over(user=user, to=to, by=by, mail=form.cleaned_data["tell"])
        except NotAllowed as problem:
            refuse(form, problem)
        else:
            messages.success(request, _("%(to)s has taken over.") % {"to": to})
            return see_other(reverse("admin:people_person", args=[key]))
    context = {"form": form, "person": user, "work": work}
    return shown(request, "people/hand_over.html", _("Hand over"), **context)


def _after_removal(request: HttpRequest, user: User, to: User | None) -> HttpResponseBase:
    if user.pk == member(request).pk:
        logout(request)
        messages.success(request, _("Your account is out of use. Another owner can let you back in."))
        return see_other(reverse("admin:login"))
    told = _("%(name)s can no longer sign in.") % {"name": user}
    if to is not None:
        told = _("%(told)s %(to)s has taken over.") % {"told": told, "to": to}
    messages.success(request, told)
    return see_other(reverse("admin:people"))


def _confirmed(
    request: HttpRequest, user: User, template: str, title: str, change: Callable[..., object], told: str
) -> HttpResponseBase:
    """A page that asks once and does one thing."""
    refused = ""
    if request.method == "POST":
        try:
            change(user=user, by=audit.staff(member(request)))
        except NotAllowed as problem:
            refused = problem.message
        else:
            messages.success(request, told % {"name": user})
            return see_other(reverse("admin:people"))
    return shown(request, template, title, person=user, refused=refused)


@owners_page(roles.CHANGES_PEOPLE, *READ_WRITE)
@step_up
def reactivate_view(request: HttpRequest, key: int) -> HttpResponseBase:
    told = _("%(name)s can sign in again.")
    title = _("Let somebody back in")
    return _confirmed(request, _person(key), "people/reactivate.html", title, people.reactivate, told)


@owners_page(roles.CHANGES_PEOPLE, *READ_WRITE)
@step_up
def factor_view(request: HttpRequest, key: int) -> HttpResponseBase:
    told = _("The second factor of %(name)s is forgotten. The next sign-in asks for a new one.")
    title = _("Reset the second factor")
    return _confirmed(request, _person(key), "people/factor.html", title, people.reset_factor, told)


def urls(inside: Callable[[View], Any]) -> list[URLPattern]:
    """The pages. inside: puts one behind the staff site's sign-in."""
    return [
        path("people/", inside(people_view), name="people"),
        path("people/invite/", inside(invite_view), name="people_invite"),
        path("people/invitations/<uuid:key>/again/", inside(again_view), name="people_again"),
        path("people/invitations/<uuid:key>/take-back/", inside(take_back_view), name="people_take_back"),
        path("people/<int:key>/", inside(person_view), name="people_person"),
        path("people/<int:key>/remove/", inside(remove_view), name="people_remove"),
        path("people/<int:key>/hand-over/", inside(hand_over_view), name="people_hand_over"),
        path("people/<int:key>/back/", inside(reactivate_view), name="people_reactivate"),
        path("people/<int:key>/factor/", inside(factor_view), name="people_factor"),
    ]


# ---- the link

# In the shell as whoever has not signed in sees it, also in the browser of somebody who has.
OUTSIDE: Final = {"has_permission": False, "is_nav_sidebar_enabled": False}


@require_http_methods(["GET", "HEAD", "POST"])
def join_view(request: HttpRequest, token: str) -> HttpResponse:
    """GET and HEAD ask and store nothing, so that a scanner that follows links uses nothing up."""
    invitation = people.find_live(token)
    if invitation is None:
        return _no_link(request)
    form = JoinForm(request.POST if request.method == "POST" else None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        names = {name: form.cleaned_data[name] for name in ("first_name", "last_name", "password")}
        try:
            user = people.join(token=token, **names)
        except people.NotLive:
            return _no_link(request)
        messages.success(
            request, _("Your account is made. Sign in as %(username)s.") % {"username": user.get_username()}
        )
        response = HttpResponse(status=303)
        response.headers["Location"] = reverse("admin:login")
        return response
    context = {
        **admin.site.each_context(request),
        "title": _("Your account"),
        "form": form,
        "username": User.normalize_username(invitation.email),
        "role": invitation.role,
        **OUTSIDE,
    }
    return TemplateResponse(request, "staff/people/join.html", context).render()


def _no_link(request: HttpRequest) -> HttpResponse:
    """One page for every link that opens nothing."""
    context = {
        **admin.site.each_context(request),
        "title": _("This link no longer works"),
        **OUTSIDE,
    }
    return TemplateResponse(request, "staff/people/no_link.html", context, status=404).render()
