"""The door for a WSGI server. Without JIEQU_MODE it is production: a missing secret is refused, never guessed."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
os.environ.setdefault("JIEQU_MODE", "production")
application = get_wsgi_application()
gc.freeze()  # what was imported stays for good: looking through it again and again is most of what collecting costs
gc.set_threshold(20_000, 20, 50)
