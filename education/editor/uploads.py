"""Pictures that editors upload: drawn anew, so that nothing else that was in the file is kept (ADR 0046).

What a photograph tells of its camera and place, a second file behind the picture, a script in its comment:
none of it survives. The name is ours too.
"""

import secrets
from io import BytesIO
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageOps
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

FORMATS: Final = ("JPEG", "PNG", "WEBP")
# Twice what readers get (`pictures.SIZE`), in case that grows.
LONGEST_SIDE: Final = 2880
QUALITY: Final = 90


def drawn_anew(file: Any) -> bytes:
    """The pixels of a picture as WebP, upright, and nothing else of the file. Raises for what is none."""
    with Image.open(file, formats=FORMATS) as picture:
        # A JPEG is made smaller while it is read.
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(picture)
        pixels = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # What was read beside the pixels stays behind with the picture it was read into.
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    written = BytesIO()
    bare.save(written, "WEBP", quality=QUALITY)
    return written.getvalue()


class PictureField(WagtailImageField):
    """Wagtail's checks of size, pixels and kind, and then the picture drawn anew."""

    def to_python(self, data: Any) -> Any:
        try:
            upload = super().to_python(data)
            if upload is None:
                return None
            upload.seek(0)
            content = drawn_anew(upload)
        except ValidationError:
            raise
        except Exception as error:
            # Whatever a broken file makes of the library that reads it.
            raise ValidationError(self.error_messages["invalid_image"], code="invalid_image") from error
        return SimpleUploadedFile(f"{secrets.token_hex(16)}.webp", content, "image/webp")


class PictureForm(BaseImageForm):
    """Wagtail's form for pictures, with our field for the file."""

    file = PictureField(widget=BaseImageForm.Meta.widgets["file"])
