"""What one visit is like after each thing that a patient or staff does: no Django, no database.

Each method says what the answer's status has to be, and remembers what has to stand afterwards. Times are in
seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

REST: Final = 15 * MINUTE
IDLE: Final = 30 * MINUTE
LONGEST: Final = 4 * HOUR
CODE_LIFE: Final = 10 * MINUTE

Answers = Mapping[str, tuple[object, ...]]


@dataclass
class Session:
    began: float
    seen: float


@dataclass
class Code:
    """Six digits that one device asked for. digits: as they were mailed."""

    link: int
    asked: float
    digits: str = ""
    tries: int = 0
    used: bool = False

    def lives(self, now: float) -> bool:
        return not self.used and self.tries < 5 and now < self.asked + CODE_LIFE


@dataclass
class Device:
    """One browser. known: it opened a link to this visit before."""

    session: Session | None = None
    # The link that opened the session, by its number.
    link: int = 0
    known: bool = False
    code: Code | None = None


@dataclass
class Flag:
    """The one red flag that the machine raises. last: the kind of what happened last."""

    state: str = "open"
    raised: float = 0
    withdrawn: bool = False
    saw: bool = False
    last: str = "raised"


@dataclass
class Version:
    """Something sent, or being typed. findings: their keys, once it was sent."""

    answers: dict[str, tuple[object, ...]]
    began: float = 0
    sent: bool = False
    key: str = ""
    findings: tuple[int, ...] = ()
    decisions: dict[int, str] = field(default_factory=dict)
    outcomes: dict[int, str] = field(default_factory=dict)
    reviewed: bool = False
    closed: bool = False
    closings: int = 0


@dataclass
class Model:
    """required: the questions that have to be answered. ticked: the answer that needs help today."""

    required: tuple[str, ...]
    ticked: tuple[str, tuple[object, ...]]
    starts: float
    now: float = 0
    booked: bool = True
    # Links that were sent: number -> None, or how it came to its end.
    links: list[str | None] = field(default_factory=lambda: [None])
    wrong: dict[int, list[float]] = field(default_factory=dict)
    codes_asked: list[float] = field(default_factory=list)
    devices: dict[str, Device] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    change: Version | None = None
    flag: Flag | None = None
    calls: int = 0

    # What is so

    @property
    def link(self) -> int:
        return len(self.links) - 1

    @property
    def begun(self) -> bool:
        return self.starts <= self.now

    @property
    def standing(self) -> Version:
        """What staff look at: the newest that was sent, or the first draft."""
        return self.versions[-1]

    @property
    def working(self) -> Version:
        return self.change or self.standing

    @property
    def is_sent(self) -> bool:
        return self.change is None and self.standing.sent

    def opens(self, link: int) -> bool:
        return self.links[link] is None and self.booked and self.now < self.starts + DAY

    def rests(self, link: int) -> bool:
        latest = [at for at in self.wrong.get(link, ()) if at > self.now - 2 * REST][-5:]
        return len(latest) == 5 and latest[-1] - latest[0] <= REST and self.now - latest[-1] < REST

    def is_urgent(self, answers: Answers) -> bool:
        name, value = self.ticked
        return bool(set(answers.get(name, ())) & set(value))

    @property
    def advice_waits(self) -> bool:
        return self.flag is not None and not self.flag.withdrawn and not self.flag.saw

    @property
    def call_waits(self) -> bool:
        return self.flag is not None and self.flag.state != "acknowledged"

    # The patient

    def is_in(self, name: str) -> bool:
        """Whether the device's session lives."""
        session = self.devices[name].session
        if session is None or not self.opens(self.devices[name].link):
            return False
        return self.now < min(session.seen + IDLE, session.began + LONGEST)

    def at_work(self, name: str) -> bool:
        """Whether a request finds a live session; one that does keeps it alive."""
        session = self.devices[name].session
        if session is None or not self.is_in(name):
            return False
        if self.now - session.seen >= IDLE / 30:
            session.seen = self.now
        return True

    def open_link(self, name: str, link: int, *, right: bool) -> str:
        device = self.devices[name]
        if not self.opens(link):
            return "404"
        if self.rests(link):
            return "200"
        if not right:
            self.count_wrong(link)
            return "200"
        if device.known:
            device.session, device.link = Session(self.now, self.now), link
            return "303 /intake/start/"
        code = device.code
        if (
            code
            and not code.used
            and code.asked > self.now - HOUR
            and code.link == link
            and code.lives(self.now)
        ):
            return "303 /intake/code/"
        if sum(at > self.now - REST for at in self.codes_asked) >= 3:
            return "429"
        if sum(at > self.now - DAY for at in self.codes_asked) >= 10:
            return "429"
        self.codes_asked.append(self.now)
        device.code = Code(link, self.now)
        return "303 /intake/code/"

    def count_wrong(self, link: int) -> None:
        times = self.wrong.setdefault(link, [])
        times.append(self.now)
        if sum(at > self.now - DAY for at in times) >= 10:
            self.links[link] = "ended"

    def type_code(self, name: str, digits: str) -> str:
        device = self.devices[name]
        code = device.code
        if code is None or code.used or code.asked <= self.now - HOUR or not self.opens(code.link):
            return "403"
        if self.rests(code.link) or not code.lives(self.now):
            return "200"
        if digits != code.digits:
            code.tries += 1
            self.count_wrong(code.link)
            return "200"
        code.used = True
        device.session, device.link, device.known = Session(self.now, self.now), code.link, True
        return "303 /intake/status/"

    def save(self, name: str, fields: Answers, *, amiss: bool = False) -> str:
        """A page posted whole. fields: its questions, also those emptied. amiss: one did not fit."""
        if not self.at_work(name):
            return "403"
        if self.is_sent:
            return "302 /intake/sent/"
        working = self.working
        for link_id, value in fields.items():
            working.answers.pop(link_id, None)
            if value:
                working.answers[link_id] = value
        self.sync_flag(working.answers, keep_before=working.began if self.change else None)
        mistaken = self.flag is not None and not self.flag.withdrawn and self.flag.last == "mistake"
        if self.is_urgent(working.answers) and (self.advice_waits or mistaken):
            return "200 advice"
        whole = all(working.answers.get(link_id) for link_id in fields if link_id in self.required)
        return "303" if whole and not amiss else "200"

    def sync_flag(self, answers: Answers, *, keep_before: float | None = None) -> None:
        flag = self.flag
        if self.is_urgent(answers):
            if flag is None:
                self.flag = Flag(raised=self.now)
            elif flag.withdrawn:
                self.flag = Flag(raised=self.now, last="raised-again")
        elif flag is not None and not flag.withdrawn:
            if keep_before is not None and flag.raised < keep_before:
                return
            flag.withdrawn, flag.last = True, "withdrawn"
            if flag.state == "open":
                flag.state = "withdrawn"

    def press_advice(self, name: str, *, mistake: bool) -> str:
        if not self.at_work(name):
            return "403"
        if not self.is_urgent(self.working.answers):
            return "302 /intake/"
        flag = self.flag
        if flag is not None and not flag.withdrawn and (mistake or not flag.saw or flag.last == "mistake"):
            flag.saw, flag.last = True, "mistake" if mistake else "seen"
        if self.is_sent:
            return "303 /intake/sent/"
        return "303 /intake/safety/" if mistake else "303 /intake/"

    def begin_change(self, name: str) -> str:
        if not self.at_work(name):
            return "403"
        if self.begun:
            return "409" if self.standing.sent else "302 /intake/"
        if self.is_sent:
            self.change = Version(dict(self.standing.answers), began=self.now)
        return "303 /intake/"

    def keep(self, name: str) -> str:
        if not self.at_work(name):
            return "403"
        self.change = None
        return "303 /intake/status/" if self.standing.sent else "303 /intake/"

    def submit(self, name: str, key: str, *, stale: bool = False, foreign: bool = False) -> str:
        """stale: confirmed on a page that was older than what stands. foreign: the key of another visit."""
        if not self.at_work(name):
            return "403"
        own = any(version.key == key for version in self.versions)
        if self.is_sent:
            return "303 /intake/sent/" if own else "409"
        if self.change is not None and self.begun:
            return "303 /intake/status/"
        working = self.working
        if self.is_urgent(working.answers) and self.advice_waits:
            return "302 /intake/advice/"
        if own:
            return "303 /intake/sent/"
        lacking = any(not working.answers.get(link_id) for link_id in self.required)
        unchanged = self.change is not None and working.answers == self.standing.answers
        if stale or lacking or foreign or unchanged:
            return "200"
        working.sent, working.key = True, key
        if self.change is not None:
            self.versions.append(self.change)
            self.change = None
        self.sync_flag(working.answers)
        return "303 /intake/sent/"

    def found(self, keys: tuple[int, ...]) -> None:
        """What was raised by the version that was just sent; decisions on the one before are kept."""
        self.standing.findings = keys
        if len(self.versions) > 1:
            before = self.versions[-2]
            for old, new in zip(before.findings, keys, strict=True):
                if before.decisions.get(old, "unconfirmed") != "unconfirmed":
                    self.standing.decisions[new] = before.decisions[old]

    def leave(self, name: str) -> str:
        if not self.at_work(name):
            return "403"
        self.devices[name].session = None
        return "303"

    # Staff

    def decide(self, version: Version, finding: int, decision: str, *, reason: bool = True) -> str:
        if finding not in version.findings:
            return "404"
        if version is not self.standing or version.reviewed or self.call_waits:
            return "200"
        undecided = version.decisions.get(finding, "unconfirmed") == "unconfirmed"
        if (decision == "refuted" and not reason) or (decision == "unconfirmed" and undecided):
            return "200"
        version.decisions[finding] = decision
        return "303"

    def call(self, version: Version, *, reached: bool, stale: bool) -> str:
        if version is not self.standing or (stale and self.call_waits):
            return "200"
        self.calls += 1
        if reached and self.call_waits and self.flag is not None:
            self.flag.state, self.flag.last = "acknowledged", "acknowledged"
        return "303"

    def finish(self, version: Version) -> str:
        undecided = [
            key for key in version.findings if version.decisions.get(key, "unconfirmed") == "unconfirmed"
        ]
        if not self.is_read(version):
            return "404"
        if (
            version is not self.standing
            or not version.sent
            or version.reviewed
            or self.call_waits
            or undecided
        ):
            return "200"
        version.reviewed = True
        return "303"

    def is_read(self, version: Version) -> bool:
        """A form that was not sent is read only where it needs help today."""
        return version.sent or self.flag is not None

    def reopen_review(self, version: Version) -> str:
        if not self.is_read(version):
            return "404"
        if version is not self.standing or not version.reviewed:
            return "200"
        version.reviewed = False
        return "303"

    def may_record(self, version: Version) -> bool:
        return version is self.standing and version.sent and self.booked and self.begun and not version.closed

    def record(self, version: Version, results: Mapping[int, str], *, close: bool) -> str:
        """close: save, then close. Of a closed one what stands already may come again: it adds nothing. Of a
        visit that was cancelled afterwards, or is still to come again, nothing is closed."""
        if not version.sent:
            return "404"
        adds = any(version.outcomes.get(key) != result for key, result in results.items())
        if version is self.standing and version.closed and not adds:
            return "303" if (self.booked and self.begun) or not close else "200"
        if not self.may_record(version):
            return "200"
        version.outcomes |= results
        if not close:
            return "303"
        if set(version.findings) - set(version.outcomes):
            return "200"
        version.closed = True
        version.closings += 1
        return "303"

    def reopen(self, version: Version, reason: str) -> str:
        if not version.sent:
            return "404"
        if not version.closed or not reason.strip():
            return "200"
        version.closed = False
        version.closings += 1
        return "303"

    def cancel(self) -> str:
        """What was found and closed took place."""
        if not self.standing.closed:
            self.booked = False
        return "303"

    def rebook(self, starts: float) -> str:
        if not self.booked:
            self.booked, self.starts = True, starts
        return "303"

    def new_link(self) -> str:
        """Sends another link unless there is nothing to be filled in any more."""
        if self.standing.sent or not self.booked or self.now >= self.starts + DAY:
            return "303"
        if self.links[-1] is None:
            self.links[-1] = "replaced"
        self.links.append(None)
        return "303 new"

    def end_link(self) -> str:
        if self.links[-1] is None and self.now < self.starts + DAY:
            self.links[-1] = "withdrawn"
        return "303"
