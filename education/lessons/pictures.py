"""Pictures that editors put into lessons: one size for readers, made before anybody reads.

What editors upload is drawn anew before it is kept (`education.editor.uploads`), and is not served.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from wagtail.images.models import Image, Rendition

from education.lessons.blocks import Raw

# At most so wide and high, in pixels; twice what the column shows on a laptop, for sharp screens.
SIZE: Final = "max-1440x1440|format-webp"
# Below the folder of uploads. Wagtail keeps what it made of them here, the uploads elsewhere.
FOLDER: Final = "images"
COLUMNS: Final = {"id": "image_id", "file": "file", "width": "width", "height": "height"}


def keys(body: Iterable[Raw]) -> list[int]:
    """The images that blocks of a body show."""
    return [block["value"]["image"] for block in body if block["type"] == "picture"]


def make(body: Iterable[Raw]) -> None:
    """Make what readers get of each picture in a body, where it is not there yet."""
    for image in Image.objects.filter(pk__in=keys(body)):
        image.get_rendition(SIZE)


def sized() -> Any:
    """Pictures as readers get them; `COLUMNS` are what a page needs."""
    return Rendition.objects.filter(filter_spec=SIZE)


def address(file: str) -> str:
    """Where readers get a file that `sized` names."""
    return settings.MEDIA_URL + file


def path_of(name: str) -> Path | None:
    """The file of a picture by its bare name; None where there is none."""
    folder = Path(settings.MEDIA_ROOT) / FOLDER
    path = folder / name
    return path if path.parent == folder and path.is_file() else None
