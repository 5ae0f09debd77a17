"""Pictures in lessons: made for readers when the lesson is published, never the file as it was uploaded."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Pixels
from wagtail.images.models import Image

from education.lessons import pictures
from education.models import Lesson
from tests.integration.education.editor.conftest import Person


@pytest.fixture
def image(db: None, settings: Any, tmp_path: Path) -> Image:
    settings.MEDIA_ROOT = tmp_path
    file = BytesIO()
    Pixels.new("RGB", (2000, 1000), (90, 140, 120)).save(file, "JPEG")
    return Image.objects.create(title="stairs", file=SimpleUploadedFile("stairs.jpg", file.getvalue()))


def show(lesson: Lesson, image: Image, person: Person, **words: Any) -> str:
    value = {"image": image.pk, "alt": "A stair", "decorative": False, "caption": "", **words}
    lesson.body = [{"type": "picture", "value": value}]
    lesson.save_revision(user=person.user).publish(user=person.user)
    return Client().get(lesson.get_absolute_url()).text


def test_readers_get_one_size_of_it(lesson: Lesson, image: Image, physio: Person) -> None:
    html = show(lesson, image, physio)
    made = pictures.sized().get()
    assert (made.width, made.height) == (1440, 720)
    address = pictures.address(made.file.name)
    assert f'<img src="{address}" width="1440" height="720" alt="A stair"' in html
    answer = Client().get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
    assert "immutable" in answer.headers["Cache-Control"]
    assert not answer.cookies
    answer.close()


def test_the_upload_itself_is_not_there(lesson: Lesson, image: Image, physio: Person) -> None:
    show(lesson, image, physio)
    assert image.file.name == "original_images/stairs.jpg"
    for address in ("/media/original_images/stairs.jpg", "/media/images/../original_images/stairs.jpg"):
        assert Client().get(address).status_code == 404
    assert Client().get("/media/images/..%2Foriginal_images%2Fstairs.jpg").status_code == 404
    assert Client().get("/media/images/%00").status_code == 404


def test_a_decorative_picture_is_silent(lesson: Lesson, image: Image, physio: Person) -> None:
    assert 'alt=""' in show(lesson, image, physio, decorative=True)
