"""Find the plugins of a folder: the folder is its own registry.

Every public module of a plugin package is a plugin, known by its module name. A package outside Watchbill
joins by an entry point in the group `watchbill.<folder>` under the same contract; a name that is already
taken is refused, so that nobody's e-mail channel is replaced by surprise.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from types import ModuleType


@cache
def find_plugins(package: str) -> dict[str, ModuleType]:
    """Read the plugins of `package` (dotted name), by name, in alphabetical order."""
    home = import_module(package)
    found = {
        module.name: import_module(f"{package}.{module.name}")
        for module in iter_modules(home.__path__)
        if not module.name.startswith("_")
    }
    for point in entry_points(group=f"watchbill.{package.rpartition('.')[2]}"):
        if point.name in found:
            raise ValueError(f"two plugins called {point.name!r} in {package}: {point.value} must take another name")
        found[point.name] = point.load()
    return dict(sorted(found.items()))
