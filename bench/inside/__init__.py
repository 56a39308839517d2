"""What runs in a bench's own process, where Django is bound to the one database that is measured."""

from importlib import import_module

import_module("watchbill.entry.boot")
