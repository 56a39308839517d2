"""Tell Python's garbage collector what a loaded server looks like.

By default it looks for cycles after every 700 new objects, which at the door is every few requests, and from time to
time through all objects there are: some hundred thousand of Django, the models and the translations, which live as
long as the process. Nothing is switched off: what forms a cycle is still found, some thousand objects later.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 10_000
ROUNDS_OF_THE_YOUNG = 20


def spare_what_stays() -> None:
    """Take what start-up made out of all collections to come; call it once, when everything has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, ROUNDS_OF_THE_YOUNG, ROUNDS_OF_THE_YOUNG)
