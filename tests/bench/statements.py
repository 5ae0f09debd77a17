"""What a page asked the database, as libpq saw it on the wire: nothing that a framework does hides here."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

RECORD: Final = re.compile(r"\n(?=[FB]\t)")
SIMPLE: Final = re.compile(r'F\t\d+\tQuery\t "(.*)"\s*\Z', re.DOTALL)
PREPARED: Final = re.compile(r'F\t\d+\tParse\t "([^"]*)" "(.*)" \d+(?: \d+)*\s*\Z', re.DOTALL)
BOUND: Final = re.compile(r'F\t\d+\tBind\t "[^"]*" "([^"]*)"')
EXECUTED: Final = re.compile(r"F\t\d+\tExecute\t")
COMPLETE: Final = re.compile(r'B\t\d+\tCommandComplete\t "(\w+)')
SAVEPOINT: Final = re.compile(r"\bTO\b", re.IGNORECASE)
WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
BEGINS: Final = frozenset({"BEGIN", "START"})
ENDS: Final = frozenset({"COMMIT", "ROLLBACK"})

# The table that a statement is about; one that begins with a question inside a question is the page's own.
ABOUT: Final = re.compile(
    r'\s*(?:SELECT\b(?:(?!\bSELECT\b).)*?\bFROM|INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)',
    re.IGNORECASE | re.DOTALL,
)
# The ORM names columns with their table, those of the table it is about first.
COLUMN: Final = re.compile(r'\s*SELECT "(\w+)"\."')
CONNECTION: Final = re.compile(r"\s*(SELECT 1\s*;?\s*\Z|SET|RESET|SHOW|DISCARD|DEALLOCATE)", re.IGNORECASE)
TRANSACTION: Final = re.compile(r"\s*(BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
TABLES: Final = {
    "intake_auditevent": "audit",
    "clinic_session": "session",
    "intake_patientsession": "session",
    "clinic_user": "user",
    "clinic_user_groups": "user",
    "clinic_user_user_permissions": "user",
    "auth_group": "user",
    "auth_permission": "user",
}
OTHERS: Final = ("connection", "transaction", "session", "user", "audit")


@dataclass(frozen=True, slots=True)
class Asked:
    """Statements in order, as `(kind, text)`. `commits`: transactions that wrote, single statements too."""

    statements: tuple[tuple[str, str], ...]
    commits: int
    kinds: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", Counter(kind for kind, _ in self.statements))

    @property
    def own(self) -> int:
        return self.kinds["own"]

    def since(self, earlier: "Asked") -> "Asked":
        """What came after an earlier reading of the same wire."""
        return Asked(self.statements[len(earlier.statements) :], self.commits - earlier.commits)

    def others(self) -> dict[str, int]:
        """How many of every other kind, none left out."""
        return {kind: self.kinds[kind] for kind in OTHERS}


def kind_of(statement: str) -> str:
    """One of `OTHERS`, or "own": what the page asks for itself."""
    if CONNECTION.match(statement):
        return "connection"
    if TRANSACTION.match(statement):
        return "transaction"
    about = COLUMN.match(statement) or ABOUT.match(statement)
    return TABLES.get(about[1].lower(), "own") if about else "own"


def read_wire(text: str) -> Asked:
    """libpq's trace without time stamps: tab-separated `F` (to the server) and `B` (back) messages."""
    statements: list[str] = []
    prepared: dict[str, str] = {}
    bound = ""
    commits = 0
    is_open = wrote = False
    for record in RECORD.split(text):
        if found := SIMPLE.match(record):
            statements.append(found[1])
        elif found := PREPARED.match(record):
            prepared[found[1]] = found[2]
        elif found := BOUND.match(record):
            bound = prepared.get(found[1], "")
        elif EXECUTED.match(record):
            statements.append(bound)
        elif found := COMPLETE.match(record):
            # Back to a savepoint is not the end; what was written before it stays.
            if found[1] == "ROLLBACK" and SAVEPOINT.search(statements[-1] if statements else ""):
                continue
            if found[1] in WRITES:
                wrote = is_open
                commits += not is_open
            elif found[1] in ENDS:
                commits += wrote and found[1] == "COMMIT"
                is_open = wrote = False
            elif found[1] in BEGINS:
                is_open, wrote = True, False
    return Asked(tuple((kind_of(statement), statement) for statement in statements), commits)
