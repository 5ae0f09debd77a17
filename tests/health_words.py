"""No word about health, and nothing that names somebody, in what leaves the clinic."""

import re

# "1986" and "04/12" are the birth date that the tests' patients have.
WORDS = (
    "pain",
    "knee",
    "foot",
    "feet",
    "leg",
    "calf",
    "ankle",
    "blood",
    "clot",
    "dvt",
    "hurt",
    "swollen",
    "symptom",
    "diagnos",
    "sign of",
    "flag",
    "urgent",
    "questionnaire",
    "1986",
    "04/12",
)
# Tokens of links, keys and the names of mails are drawn by chance and may spell anything.
_KEY = r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
# So are the lines between the parts of a mail.
_BETWEEN = r"={5,}\d+=="
_DRAWN = re.compile(rf"https?://\S+|^message-id:.*$|{_BETWEEN}|{_KEY}", re.IGNORECASE | re.MULTILINE)


def health_words(text: str, *names: str) -> list[str]:
    """Those of the words and of `names` that `text` says, in whatever case."""
    said = _DRAWN.sub("", text).lower()
    return [word for word in (*WORDS, *names) if word.lower() in said]
