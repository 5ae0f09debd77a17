"""R13: what a password may be."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from clinic.models import User

OF = User(username="maya.ortiz", first_name="Maya", last_name="Ortiz", email="maya.ortiz@clinic.example")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "twelve chars",
        "x7" * 64,
        # Nothing about its composition: no capital, no number, letters of any script, spaces, pictures.
        "nurunterwegsnachhause",
        "пешком через весь город",
        "日本語のとても長い合言葉です",
        "🦶🦵🦶🦵🦶🦵🦶🦵🦶🦵🦶🦵",
        "  space before and after  ",
        "938475610283",
    ],
)
def test_it_may_be(password: str):
    validate_password(password, OF)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_too_short"),
        ("eleven char", "password_too_short"),
        ("x7" * 64 + "x", "password_too_long"),
        ("qwertyuiop123", "password_too_common"),
        ("1q2w3e4r5t6y", "password_too_common"),
        ("maya.ortiz.maya", "password_too_similar"),
        ("Footing-Clinic1", "password_our_words"),
        ("physiophysiophysio!", "password_our_words"),
        ("maya.ortiz@clinic", "password_too_similar"),
    ],
)
def test_it_may_not_be(password: str, code: str):
    with pytest.raises(ValidationError) as refused:
        validate_password(password, OF)
    assert code in [error.code for error in refused.value.error_list]


def test_argon2_keeps_it(settings):
    from clinic.settings import PASSWORD_HASHERS

    assert PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    user = User()
    user.set_password("correct horse battery")
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password("correct horse battery")
