"""Every source of the warehouse: the modules of this package that expose ``SOURCE``."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from mobility_warehouse.sources.declaration import Source


@cache
def sources() -> dict[str, Source]:
    """The registered sources by name, sorted; TypeError for a ``SOURCE`` that does not keep the protocol."""
    package = import_module(__package__)
    found: dict[str, Source] = {}
    for module in pkgutil.iter_modules(package.__path__):
        source = getattr(import_module(f"{__package__}.{module.name}"), "SOURCE", None)
        if source is None:
            continue
        if not isinstance(source, Source):
            raise TypeError(f"{module.name}.SOURCE does not keep the Source protocol")
        if source.name in found:
            raise ValueError(f"two modules declare a source named {source.name}")
        found[source.name] = source
    return dict(sorted(found.items()))
