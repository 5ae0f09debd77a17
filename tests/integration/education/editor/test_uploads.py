"""What editors upload as a picture: drawn anew, or refused with a word beside the field (R35)."""

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Pixels
from PIL.PngImagePlugin import PngInfo
from wagtail.images.models import Image

from clinic.security import MAX_BODY_BYTES, MAX_PICTURE_BYTES, MAX_UPLOAD_BODY_BYTES, UPLOADS
from education.lessons import pictures
from tests.factories import make_user
from tests.integration.education.editor.conftest import Person

SECRET = b"Zyxsecret"
SCRIPT = b"<script>alert(1)</script><?php system($_GET[0]); ?>"
GPS, MAKE, ORIENTATION = 0x8825, 0x010F, 0x0112


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def drawn(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Pixels.new(mode, size, (200, 40, 40, 128)[: len(mode)] if mode != "L" else 90).save(file, kind, **options)
    return file.getvalue()


def telling() -> bytes:
    """A photograph that tells where it was taken and by what, in all the places a JPEG has for it."""
    exif = Pixels.Exif()
    exif[MAKE] = SECRET.decode()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS)[2] = (34.0, 3.0, 7.0)
    return drawn("JPEG", exif=exif, comment=SECRET + SCRIPT, icc_profile=SECRET, xmp=SECRET)


def telling_webp() -> bytes:
    exif = Pixels.Exif()
    exif[MAKE] = SECRET.decode()
    return drawn("WEBP", exif=exif, xmp=SECRET, icc_profile=SECRET)


def telling_png() -> bytes:
    words = PngInfo()
    words.add_text("Comment", (SECRET + SCRIPT).decode())
    words.add_itxt("XML:com.adobe.xmp", SECRET.decode(), zip=True)
    return drawn("PNG", mode="RGBA", pnginfo=words)


def with_a_zip_behind(picture: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr("x.html", SECRET + SCRIPT)
    return picture + archive.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG of some bytes that says it has so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )


def upload(person: Person, name: str, content: bytes, kind: str = "image/jpeg") -> Any:
    file = SimpleUploadedFile("x", content, kind)
    # Its own way out of a folder is taken off by the class.
    file._name = name
    data = {"image-chooser-upload-title": "Stairs", "image-chooser-upload-file": file}
    return person.client.post(UPLOADS, data)


GOOD = {
    "photograph": ("IMG_0001.JPG", telling),
    "png with words": ("foot.png", telling_png),
    "zip behind": ("stairs.jpg", lambda: with_a_zip_behind(drawn("JPEG"))),
    "script behind": ("stairs.png", lambda: drawn("PNG") + SECRET + SCRIPT),
    "webp": ("stairs.webp", telling_webp),
    "gray": ("gray.jpeg", lambda: drawn("JPEG", mode="L")),
    "out of the folder": ("../../../../etc/zyxsecret.jpg", lambda: drawn("JPEG")),
    "two endings": ("zyxsecret.php.jpg", lambda: drawn("JPEG")),
    "odd letters": ("Zyxsecret\u202egnp.\u00e9\"'<b>.png", lambda: drawn("PNG")),
    "long name": ("z" * 300 + ".png", lambda: drawn("PNG")),
    "large": ("large.jpg", lambda: drawn("JPEG", (4000, 3000))),
}


def some(names: Iterable[str], shortly: Container[str]) -> list[Any]:
    """All of them; the short run takes these."""
    return [pytest.param(name, marks=() if name in shortly else pytest.mark.deep) for name in names]


@pytest.mark.parametrize(
    "name", some(GOOD, ("photograph", "png with words", "zip behind", "out of the folder"))
)
def test_a_picture_is_kept_as_its_pixels_under_a_random_name(name: str, sam: Person, folder: Path) -> None:
    called, make = GOOD[name]
    sent = make()
    answer = upload(sam, called, sent)
    assert answer.status_code == 200
    assert json.loads(answer.content)["step"] == "chosen"
    image = Image.objects.get()
    assert re.fullmatch(r"original_images/[0-9a-f]{32}\.webp", image.file.name)
    (path,) = [path for path in folder.rglob("*") if path.is_file() and "original" in str(path)]
    stored = path.read_bytes()
    assert stored != sent
    for word in (SECRET, b"script", b"php", b"PK\x03\x04", b"EXIF", b"XMP ", b"ICCP", b"zyxsecret"):
        assert word not in stored
    with Pixels.open(path) as kept:
        assert (kept.format, kept.info.get("exif"), kept.getexif()) == ("WEBP", None, {})
        assert max(kept.size) <= 2880
        if name == "photograph":
            # Upright, though it no longer says which way up it was taken.
            assert kept.size == (40, 60)
        if name == "png with words":
            assert kept.mode == "RGBA"
    image.file.close()


def test_readers_get_it_as_a_picture_and_nothing_else(sam: Person) -> None:
    upload(sam, "foot.jpg", telling())
    image = Image.objects.get()
    made = image.get_rendition(pictures.SIZE)
    answer = Client().get(pictures.address(made.file.name))
    content = b"".join(answer.streaming_content)
    answer.close()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert SECRET not in content


BAD = {
    "svg": ("x.svg", lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    "svg called png": ("x.png", lambda: b'<?xml version="1.0"?><svg onload="alert(1)"/>'),
    "html called jpg": ("x.jpg", lambda: b"<html>" + SCRIPT),
    "gif": ("x.gif", lambda: drawn("GIF")),
    "gif with script": ("x.png", lambda: b"GIF89a/*" + SCRIPT + b"*/=1;"),
    "jpeg called png": ("x.png", lambda: drawn("JPEG")),
    "tiff called jpg": ("x.jpg", lambda: drawn("TIFF")),
    "bmp called png": ("x.png", lambda: drawn("BMP")),
    "pdf called png": ("x.png", lambda: b"%PDF-1.4\n1 0 obj"),
    "postscript called png": ("x.png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "zip called jpg": ("x.jpg", lambda: with_a_zip_behind(b"")),
    "program called jpg": ("x.jpg", lambda: b"\x7fELF\x02\x01\x01" + b"\0" * 200),
    "ending of a program": ("x.php", lambda: drawn("JPEG")),
    "no ending": ("x", lambda: drawn("JPEG")),
    "cut short": ("x.jpg", lambda: drawn("JPEG", (400, 300))[:600]),
    "head only": ("x.png", lambda: b"\x89PNG\r\n\x1a\n"),
    "broken chunk": ("x.png", lambda: drawn("PNG").replace(b"IDAT", b"IDAX")),
    "21 million pixels": ("x.png", lambda: bomb(7000, 3000)),
    "100 million pixels": ("x.png", lambda: bomb(10_000, 10_000)),
    "bomb": ("x.png", lambda: bomb(60_000, 60_000)),
    "no pixels": ("x.png", lambda: bomb(0, 0)),
    "nothing": ("x.jpg", lambda: b""),
    "over 5 MB": ("x.jpg", lambda: drawn("JPEG") + b"\0" * MAX_PICTURE_BYTES),
}


@pytest.mark.parametrize("name", some(BAD, ("svg called png", "gif", "cut short", "bomb", "over 5 MB")))
def test_what_is_no_picture_is_refused_beside_the_field(name: str, sam: Person, folder: Path) -> None:
    called, make = BAD[name]
    answer = upload(sam, called, make())
    assert answer.status_code == 200
    told = json.loads(answer.content)
    assert told["step"] == "reshow_creation_form"
    assert 'class="error-message"' in told["htmlFragment"] or "error" in told["htmlFragment"]
    assert 'value="Stairs"' in told["htmlFragment"]
    assert not Image.objects.exists()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.django_db
def test_a_longer_body_is_read_there_only_and_only_from_staff(sam: Person) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    kind = "multipart/form-data; boundary=b"
    assert Client().post(UPLOADS, body, content_type=kind).status_code == 413
    assert sam.client.post("/editor/", body, content_type=kind).status_code == 413
    assert sam.client.post(UPLOADS + "x", body, content_type=kind).status_code == 413
    assert sam.client.post(UPLOADS, body, content_type=kind).status_code != 413
    huge = {"CONTENT_LENGTH": str(MAX_UPLOAD_BODY_BYTES + 1)}
    assert sam.client.post(UPLOADS, b"", content_type=kind, **huge).status_code == 413


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["front desk", None])
def test_nobody_else_uploads(role: str | None, folder: Path) -> None:
    client = Client()
    client.force_login(make_user(role))
    data = {
        "image-chooser-upload-title": "x",
        "image-chooser-upload-file": SimpleUploadedFile("x.jpg", drawn("JPEG")),
    }
    assert client.post(UPLOADS, data).status_code == 404
    assert not Image.objects.exists()
