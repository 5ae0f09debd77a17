"""How long a test waits for what is bound to come, before it says that it did not.

No speed is judged by it: a machine that other work slows down four times stays far below. It ends what hangs,
before the limit of a whole test (`faulthandler_timeout` in pyproject.toml) ends the run.
"""

from typing import Final

PATIENCE_SECONDS: Final = 240
