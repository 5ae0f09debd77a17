"""The trail in words: what each action is called, which group it is of, what a patient is told of it."""

from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

# The groups by which the trail is filtered, in the order of the page.
GROUPS: Final[dict[str, Any]] = {
    "read": _("Read"),
    "changed": _("Added or changed"),
    "sent": _("Sent by mail"),
    "copied": _("Copies taken away"),
    "form": _("Filled in by patients"),
    "doors": _("Links, codes and sessions"),
    "refused": _("Refused and failed"),
    "staff": _("Sign-in and accounts of the staff"),
    "content": _("Settings and content"),
    "trail": _("The trail itself"),
    "upkeep": _("Upkeep by the system"),
}

ROLES: Final[dict[str, Any]] = {
    "physio": _("physio"),
    "front desk": _("front desk"),
    "editor": _("editor"),
    "owner": _("owner"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """What an action is. patient: how she reads it, of what staff did; empty where she is told nothing.

    opens: somebody opened the record of one patient, as a list of many does not.
    """

    group: str
    label: Any
    patient: Any = ""
    opens: bool = False


_SAW_LIST: Final = _("saw your visit in a list")
_READ: Final = _("read your answers")
_WORKED: Final = _("worked on your answers")
_LOOKED_VISIT: Final = _("looked at your visit")
_CHANGED_VISIT: Final = _("changed your visit")
_LINK: Final = _("made or sent you a link")
_LESSONS: Final = _("chose lessons for you")
_COPIED: Final = _("made a copy of your data")
_CONTACT: Final = _("looked at your contact details")
_NAME: Final = _("saw your name in a list")
_CHECKED: Final = _("checked who looked at your data")

WORDS: Final[dict[str, Word]] = {
    # What staff read.
    "worklist.read": Word("read", _("Opened the worklist"), _SAW_LIST),
    "patient.list": Word("read", _("Opened the list of patients"), _NAME),
    "patient.read": Word("read", _("Opened a patient’s contact details"), _CONTACT, opens=True),
    "evaluation.read": Word("read", _("Opened a visit"), _LOOKED_VISIT, opens=True),
    "evaluation.cancel-page": Word("read", _("Opened “cancel” of a visit"), _LOOKED_VISIT, opens=True),
    "evaluation.rebook-page": Word("read", _("Opened “book again” of a visit"), _LOOKED_VISIT, opens=True),
    "evaluation.tablet-page": Word(
        "read", _("Opened the tablet’s code of a visit"), _LOOKED_VISIT, opens=True
    ),
    "evaluation-request.list": Word("read", _("Opened who needs an appointment"), _SAW_LIST),
    "evaluation-request.read": Word(
        "read", _("Opened a request for an evaluation"), _LOOKED_VISIT, opens=True
    ),
    "response.read": Word("read", _("Opened an intake"), _READ, opens=True),
    "review.read": Word("read", _("Opened the review of an intake"), _READ, opens=True),
    "finding.read": Word("read", _("Looked a finding up"), _READ),
    "brief.read": Word("read", _("Opened a brief"), _READ, opens=True),
    "outcome.read": Word("read", _("Opened the page after the evaluation"), _READ, opens=True),
    "closing.read": Word("read", _("Opened how evaluations were closed"), _LOOKED_VISIT, opens=True),
    "lessons.read": Word("read", _("Opened the lessons for a patient"), _LESSONS, opens=True),
    "red-flag.read": Word("read", _("Looked red flags up to tell who is on call")),
    "figures.read": Word("read", _("Opened the clinic’s figures")),
    "rule.counted": Word("read", _("Looked how often a rule was right")),
    "invitation.read": Word("read", _("Looked an invitation up to mail it")),
    # What staff write.
    "patient.written": Word(
        "changed", _("Sent the form of a patient’s contact details"), _CONTACT, opens=True
    ),
    "patient.added": Word("changed", _("Added a patient"), _("added you as a patient")),
    "patient.changed": Word(
        "changed", _("Changed a patient’s contact details"), _("changed your contact details"), opens=True
    ),
    "evaluation.written": Word("changed", _("Sent the form of a visit"), _LOOKED_VISIT, opens=True),
    "evaluation.booked": Word("changed", _("Booked a visit"), _("booked your visit")),
    "evaluation.moved": Word("changed", _("Changed a visit"), _CHANGED_VISIT),
    "evaluation.cancelled": Word("changed", _("Cancelled a visit"), _("cancelled your visit")),
    "evaluation.rebooked": Word("changed", _("Booked a cancelled visit again"), _("booked your visit again")),
    "evaluation.invited": Word("changed", _("Pressed “send the link” of a visit"), _LINK, opens=True),
    "evaluation.lessons-page": Word(
        "changed", _("Handled the lessons’ link of a visit"), _LESSONS, opens=True
    ),
    "evaluation.reminders-page": Word(
        "changed", _("Handled the reminders of a visit"), _CHANGED_VISIT, opens=True
    ),
    "evaluation-request.written": Word(
        "changed", _("Handled a request for an evaluation"), _CHANGED_VISIT, opens=True
    ),
    "evaluation-request.booked": Word(
        "changed", _("Booked an evaluation that was asked for"), _("booked your visit")
    ),
    "evaluation-request.closed": Word(
        "changed", _("Closed a request for an evaluation"), _("closed your request for a visit")
    ),
    "invitation.made": Word("changed", _("Made an invitation; an earlier one ended"), _LINK),
    "invitation.handed-over": Word("changed", _("Handed a link over"), _LINK),
    "invitation.link": Word("changed", _("Made the address of an invitation"), _LINK),
    "reminder.switched": Word("changed", _("Switched reminders of a visit"), _CHANGED_VISIT),
    "tablet.started": Word("changed", _("Started a form on the clinic’s tablet"), _LINK),
    "response.written": Word("changed", _("Sent the form of an intake"), _WORKED, opens=True),
    "review.written": Word("changed", _("Pressed a button of a review"), _WORKED, opens=True),
    "review.finished": Word("changed", _("Finished a review"), _("finished reading your answers")),
    "review.reopened": Word("changed", _("Opened a review again"), _WORKED),
    "finding.decided": Word("changed", _("Decided on a finding, or undid it"), _WORKED),
    "link.added": Word("changed", _("Added a link the rules missed"), _WORKED),
    "red-flag.contact": Word("changed", _("Recorded a call about a red flag"), _("noted a call")),
    "outcome.written": Word("changed", _("Pressed a button after the evaluation"), _WORKED, opens=True),
    "outcome.recorded": Word("changed", _("Recorded what the evaluation showed"), _WORKED),
    "evaluation.closed": Word("changed", _("Closed an evaluation"), _("closed your evaluation")),
    "evaluation.reopened": Word(
        "changed", _("Opened a closed evaluation again"), _("opened your evaluation again")
    ),
    "lessons.written": Word("changed", _("Pressed a button of the lessons"), _LESSONS, opens=True),
    "lessons.shared": Word("changed", _("Shared lessons"), _LESSONS),
    "lessons.sent-again": Word("changed", _("Sent the link to lessons again"), _LESSONS),
    "lessons.taken-back": Word("changed", _("Took shared lessons back"), _LESSONS),
    "evaluation.end-link-page": Word("changed", _("Pressed “end the link” of a visit"), _LINK, opens=True),
    "invitation.withdrawn": Word("changed", _("Ended the link of a visit"), _("ended your link")),
    "links.all-ended": Word("changed", _("Ended all links of patients"), _("ended your link")),
    "privacy.searched": Word("read", _("Looked a patient up for a copy or an erasure"), _NAME),
    "privacy.read": Word("read", _("Opened the page for a copy or an erasure"), _CONTACT, opens=True),
    "patient.erasure-looked": Word("read", _("Looked what an erasure would remove")),
    "patient.erased": Word("changed", _("Erased a patient’s data"), _("erased data of yours")),
    # What is mailed.
    "invitation.sent": Word("sent", _("Mailed an invitation")),
    "link.renewed": Word("sent", _("Mailed a new link for one that was over")),
    "reminder.queued": Word("sent", _("A reminder became due")),
    "reminder.sent": Word("sent", _("Mailed a reminder")),
    "reminder.not-due": Word("sent", _("A reminder was not due any more")),
    "reminder.not-needed": Word("sent", _("A reminder was not needed any more")),
    "reminder.settled-before": Word("sent", _("A reminder had been settled before")),
    "reminder.put-off": Word("sent", _("Put a reminder off until the morning")),
    "reminder.failed": Word("refused", _("A reminder could not be mailed in time")),
    "red-flag.mailed": Word("sent", _("Mailed who is on call")),
    "code.made": Word("sent", _("Made a code")),
    "code.sent": Word("sent", _("Mailed a code")),
    "code.not-needed": Word("sent", _("A code was not needed any more")),
    "lessons.link": Word("sent", _("Made the link to lessons")),
    "lessons.sent": Word("sent", _("Mailed the link to lessons")),
    # What leaves.
    "answers.taken": Word("copied", _("The patient downloaded her answers")),
    "patient.exported": Word("copied", _("Exported all data of a patient"), _COPIED, opens=True),
    "intake.exported": Word("copied", _("Exported an intake"), _COPIED, opens=True),
    "trail.exported": Word("copied", _("Exported the trail"), _CHECKED),
    "newsletter.exported": Word("copied", _("Exported the newsletter’s subscribers")),
    # What patients do.
    "evaluation-request.made": Word("form", _("Asked for an evaluation")),
    "page.saved": Word("form", _("Saved a page")),
    "page.saved-in-part": Word("form", _("Saved a page with something missing")),
    "page.autosaved": Word("form", _("A page saved itself")),
    "draft.settled": Word("form", _("Looked at urgent answers that were typed and not sent on")),
    "advice.seen": Word("form", _("Answered the advice of what to do today")),
    "earlier.read": Word("form", _("Saw her earlier answers")),
    "intake.sent": Word("form", _("Sent the form")),
    "intake.sent-again": Word("form", _("Sent a form that was sent already")),
    "intake.change-begun": Word("form", _("Began to change what was sent")),
    "intake.change-dropped": Word("form", _("Gave up a change")),
    "intake.changed": Word("form", _("Sent changed answers")),
    "reminder.stop-viewed": Word("form", _("Looked at how to stop reminders")),
    "reminder.stopped": Word("form", _("Stopped reminders")),
    # Links, codes and sessions of patients.
    "link.viewed": Word("doors", _("A link was opened")),
    "link.tried": Word("doors", _("A link that is over was tried")),
    "link.other-device": Word("doors", _("The right date of birth, on a device that is not known")),
    "code.asked": Word("doors", _("A code was asked for")),
    "code.viewed": Word("doors", _("Looked whether a code is awaited")),
    "code.tried": Word("doors", _("A code was tried that is over")),
    "session.opened": Word("doors", _("A session was opened")),
    "session.tried": Word("doors", _("An idle session was tried again")),
    "session.left": Word("doors", _("A session was left")),
    "lessons.opened": Word("doors", _("Shared lessons were opened")),
    "tablet.tried": Word("doors", _("A code was tried at the clinic’s tablet")),
    "tablet.opened": Word("doors", _("A form was opened on the clinic’s tablet")),
    "tablet.sent-again": Word("doors", _("A form was sent again from the clinic’s tablet")),
    # What was refused.
    "access.refused": Word("refused", _("Asked for a page or a record that is not theirs")),
    "link.wrong-date": Word("refused", _("Wrong date of birth at a link")),
    "link.rested": Word("refused", _("Tried a link while it rests after wrong dates")),
    "link.ended": Word("refused", _("A link ended after too many wrong dates or codes")),
    "link.renewal-refused": Word("refused", _("No new link for one that is over")),
    "code.wrong": Word("refused", _("Wrong code")),
    "code.not-asked": Word("refused", _("No code was sent")),
    "reminder.stop-unknown": Word("refused", _("Unknown link to stop reminders")),
    "signin.failed": Word("refused", _("A sign-in of staff failed")),
    "signin.locked-out": Word("refused", _("A sign-in of staff was refused for a while")),
    "stepup.failed": Word("refused", _("A fresh factor was wrong")),
    "patient.erasure-refused": Word("refused", _("An erasure was refused")),
    # Sign-in and accounts of the staff.
    "signin.done": Word("staff", _("Signed in")),
    "signout.done": Word("staff", _("Signed out")),
    "signout.everywhere": Word("staff", _("Signed out everywhere")),
    "stepup.done": Word("staff", _("Gave a fresh factor")),
    "factor.added": Word("staff", _("Added a second factor")),
    "factor.replaced": Word("staff", _("Replaced a second factor")),
    "factor.removed": Word("staff", _("Removed a second factor")),
    "factor.reset": Word("staff", _("Reset somebody’s second factor")),
    "recovery.made": Word("staff", _("Made recovery codes")),
    "recovery.used": Word("staff", _("Used a recovery code")),
    "password.changed": Word("staff", _("Changed a password")),
    "staff.invited": Word("staff", _("Invited a member of staff")),
    "staff.invited-again": Word("staff", _("Invited a member of staff again")),
    "staff.invitation-link": Word("staff", _("Made the link of a staff invitation")),
    "staff.invitation-taken-back": Word("staff", _("Took a staff invitation back")),
    "staff.joined": Word("staff", _("Joined the staff")),
    "staff.renamed": Word("staff", _("Changed a name of the staff")),
    "staff.role-changed": Word("staff", _("Changed a role")),
    "staff.deactivated": Word("staff", _("Closed an account")),
    "staff.reactivated": Word("staff", _("Opened an account again")),
    "staff.factor-reset": Word("staff", _("Reset somebody’s second factor")),
    "work.counted": Word("staff", _("Looked what somebody would hand over")),
    "work.asked-over": Word("staff", _("Asked to hand work over")),
    "work.handed-over": Word("staff", _("Handed open work over"), _CHANGED_VISIT),
    "emergency.opened": Word("staff", _("Broke the glass: emergency access for an hour")),
    "emergency.asked-again": Word("staff", _("Asked again for an emergency access that is open")),
    "emergency.ended": Word("staff", _("Ended an emergency access")),
    "emergency.expired": Word("staff", _("An emergency access was over")),
    # Settings and content.
    "clinic.changed": Word("content", _("Changed the clinic’s facts")),
    "privacy-notice.published": Word("content", _("Published a privacy notice")),
    "questionnaire.published": Word("content", _("Published a questionnaire")),
    "rule.published": Word("content", _("Published a rule")),
    "library.shipped": Word("content", _("A release brought lessons, links or sources")),
    "library.published": Word("content", _("Published a lesson or a link of the chain")),
    "library.unpublished": Word("content", _("Took a lesson or a link of the chain down")),
    # The trail itself.
    "trail.read": Word("trail", _("Read the trail"), _CHECKED),
    "trail.searched": Word("trail", _("Looked a patient up for the trail"), _CHECKED),
    "trail.week": Word("trail", _("Opened the week’s review of the trail")),
    "trail.reviewed": Word("trail", _("Reviewed a week of the trail")),
    "trail.checked": Word("trail", _("Checked that the trail is whole")),
    # What the system and its commands do.
    "purge.looked": Word("upkeep", _("Looked what is kept too long")),
    "retention.looked": Word("upkeep", _("Looked what is kept longer than it has to be")),
    "retention.removed": Word("upkeep", _("Removed what is kept long enough")),
    "links.counted": Word("upkeep", _("Counted wrong dates at all links")),
    "purged": Word("upkeep", _("Removed what is kept no longer")),
    "findings.replayed": Word("upkeep", _("Worked all findings out anew to compare")),
    "demo.look": Word("upkeep", _("Looked at the demo’s data")),
    "demo.history": Word("upkeep", _("Made the demo’s past weeks")),
    "demo.shared": Word("upkeep", _("Shared lessons in the demo")),
    "demo.answered": Word("upkeep", _("Filled in a form of the demo")),
    "demo.booked": Word("upkeep", _("Booked a visit of the demo")),
    "intakes.count": Word("upkeep", _("Counted made-up intakes")),
    "intakes.made": Word("upkeep", _("Made made-up intakes")),
}

# What lines of earlier releases say beside the action: how many findings and flags there were, what was
# decided. It is about somebody's health, so it is shown to nobody and no new line has it.
CLINICAL: Final[dict[str, frozenset[str]]] = {
    "intake.sent": frozenset({"findings", "red_flags"}),
    "intake.changed": frozenset({"findings", "red_flags", "decisions_kept"}),
    "draft.settled": frozenset({"red_flags"}),
    "advice.seen": frozenset({"flags", "mistake"}),
    "finding.decided": frozenset({"decision"}),
    "outcome.recorded": frozenset({"outcomes", "measurements", "links"}),
}

# Ways in which somebody opened one patient's record.
OPENS: Final = tuple(action for action, word in WORDS.items() if word.opens)
# Lines about emergency access itself; what is read with it is marked in its own lines.
EMERGENCY: Final = tuple(action for action in WORDS if action.startswith("emergency."))
# What a patient is told of.
TOLD: Final = tuple(action for action, word in WORDS.items() if word.patient)

KINDS: Final[dict[str, Any]] = {
    "patient": _("patient"),
    "evaluation": _("visit"),
    "evaluation-request": _("request"),
    "invitation": _("invitation"),
    "response": _("intake"),
    "finding": _("finding"),
    "red-flag": _("red flag"),
    "reminder": _("reminder"),
    "access-code": _("code"),
    "lesson-share": _("shared lessons"),
    "rule": _("rule"),
    "questionnaire": _("questionnaire"),
    "account": _("account"),
    "staff": _("account"),
    "staff-invitation": _("staff invitation"),
    "emergency-access": _("emergency access"),
    "erasure": _("erasure"),
    "lesson": _("lesson"),
    "chain-link": _("link of the chain"),
}


def label(action: str) -> str:
    """What an action is called; one that no table knows is called by its own name."""
    word = WORDS.get(action)
    return str(word.label) if word else action


def actions_of(group: str) -> tuple[str, ...]:
    """The actions of a group."""
    return tuple(action for action, word in WORDS.items() if word.group == group)
