"""Where Django finds the library's tables. Everything else imports from the room that owns them."""

from education.catalog.models import ShippedEntry
from education.chain.models import ChainLink, ChainNode, PhysioTest, Source
from education.clinic_info.models import ClinicInfo
from education.lessons.models import Author, Category, Lesson

__all__ = [
    "Author",
    "Category",
    "ChainLink",
    "ChainNode",
    "ClinicInfo",
    "Lesson",
    "PhysioTest",
    "ShippedEntry",
    "Source",
]
