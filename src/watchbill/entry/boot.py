"""Makes Django ready. Import it before anything that holds a model."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchbill.entry.settings")
django.setup()
