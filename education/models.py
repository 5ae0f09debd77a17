"""Where Django finds the library's tables. Everything else imports from the room that owns them."""

from education.catalog.models import ShippedEntry
from education.chain.models import ChainLink, ChainNode, PhysioTest, Source
from education.clinic_info.models import ClinicInfo, PrivacyNotice
from education.edition.models import Edition
from education.lessons.models import Author, Category, Lesson, LessonRedirect
from education.newsletter.models import Delivery, Issue, Subscriber
from education.visitors.models import RecentUse

__all__ = [
    "Author",
    "Category",
    "ChainLink",
    "ChainNode",
    "ClinicInfo",
    "Delivery",
    "Edition",
    "Issue",
    "Lesson",
    "LessonRedirect",
    "PhysioTest",
    "PrivacyNotice",
    "RecentUse",
    "ShippedEntry",
    "Source",
    "Subscriber",
]
