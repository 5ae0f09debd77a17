"""Headers, cookies and rate-limit numbers, as data for settings and for the code that enforces them."""

from datetime import timedelta
from typing import Any, Final

NONE: Final = "'none'"
SELF: Final = "'self'"

# Nothing is allowed that a page of ours does not use. No nonce: nothing is inline.
CONTENT_SECURITY_POLICY: Final[dict[str, Any]] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

PERMISSIONS_POLICY: Final[dict[str, list[str]]] = {
    feature: []
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "encrypted-media",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
}

# Sizes a form of ours never reaches (requirement R34: 256 KB, 400 fields).
MAX_BODY_BYTES: Final = 256 * 1024
MAX_FIELDS: Final = 400

# Pictures that editors upload (R35). A body may be somewhat longer, so that its form can say what is wrong.
MAX_PICTURE_BYTES: Final = 5 * 1024 * 1024
MAX_PICTURE_PIXELS: Final = 20_000_000
MAX_UPLOAD_BODY_BYTES: Final = 16 * 1024 * 1024
UPLOADS: Final = "/editor/images/chooser/create/"

# Paths whose answers are about one person or one staff session: never kept by a browser or a proxy.
NO_STORE_PREFIXES: Final = ("/intake/", "/staff/", "/editor/")

# Where the staff's pages are.
STAFF_ROOMS: Final = ("/staff/", "/editor/")

# A session of the staff ends after so long without use, and after so long in any case (requirement R15).
STAFF_SESSION_IDLE: Final = timedelta(minutes=15)
STAFF_SESSION_AGE: Final = timedelta(hours=12)
