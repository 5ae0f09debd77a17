"""What an authenticator app shows."""

import base64
import hashlib
import hmac
import struct
import time

PERIOD = 30
# The last code that was shown for each secret: one works once, so the next asks for the next.
_shown: dict[str, int] = {}


def code_at(secret: str, seconds: float) -> str:
    """The code for this moment, as RFC 6238 has it."""
    counter = struct.pack(">Q", int(seconds) // PERIOD)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06}"


def next_code(secret: str) -> str:
    """A code that was not shown before: the present one, or the one after; else it waits for that."""
    now = int(time.time()) // PERIOD
    counter = max(now, _shown.get(secret, 0) + 1)
    if counter > now + 1:
        time.sleep((counter - 1) * PERIOD - time.time() + 0.2)
    _shown[secret] = counter
    return code_at(secret, counter * PERIOD)
