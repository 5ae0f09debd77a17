"""The WSGI entry: `gunicorn clinic.wsgi`."""

import gc
import os
import sys
import warnings

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

# Packages of others take these where they find them. Nothing here uses them, and each worker would hold 9 MB
# of them: here they are not to be found, which those packages are made for.
for name in ("charset_normalizer", "pillow_heif", "pygments", "requests", "soupsieve"):
    sys.modules[name] = None  # type: ignore[assignment]  # what Python itself has for "not to be imported"

warnings.filterwarnings("ignore", "The soupsieve package is not installed", UserWarning)

# Nothing that is imported becomes garbage, and looking for it is a tenth of a cold start.
gc.disable()
application = get_wsgi_application()
gc.enable()
