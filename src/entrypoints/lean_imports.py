"""Third-party packages without what they import only because it happens to be installed.

Together that was a third of a server's start and a sixth of its memory, for nothing that Stoa uses.
Whoever imports the same packages elsewhere, or the other way round, finds them as they are.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

# Errors in colour, the paging of a service layer, bodies and answers of foreign classes.
EXTRAS = {
    "structlog": ("rich",),
    "litestar": ("advanced_alchemy",),
    "litestar.plugins.attrs": ("attr", "attrs"),
    "litestar.plugins.pydantic": ("pydantic",),
    "mako.exceptions": ("pygments",),
}
# Packages whose ``__init__`` imports all of their modules, whichever is wanted.
BARE = frozenset({"advanced_alchemy", "advanced_alchemy.types"})
# A module that asks which packages are installed, without importing them, and its answers.
ANSWERS = {"dishka._adaptix.feature_requirement": {"HAS_SUPPORTED_PYDANTIC_PKG": False}}


def import_lean() -> None:
    """From now on; calling it again changes nothing."""
    if not any(isinstance(finder, LeanFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LeanFinder())


@contextmanager
def many_imports() -> Iterator[None]:
    """Around imports that are the most of a start. What they make stays, so that looking for
    garbage in it again and again would cost a seventh of their time and find nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class LeanFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        loader = _loader_of(fullname)
        if loader is None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = loader(spec.loader.name, spec.loader.path)
        return spec


def _loader_of(fullname: str) -> type[SourceFileLoader] | None:
    if fullname in EXTRAS:
        return _WithoutExtras
    if fullname in BARE:
        return _WithoutModules
    return _WithAnswers if fullname in ANSWERS else None


class _WithoutExtras(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        with _hidden(EXTRAS[module.__name__]):
            super().exec_module(module)


class _WithoutModules(SourceFileLoader):
    """Leaves the package empty, so that each of its modules is imported when it is asked for."""

    def exec_module(self, module: ModuleType) -> None:
        pass


class _WithAnswers(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        vars(module).update(ANSWERS[module.__name__])


@contextmanager
def _hidden(packages: Sequence[str]) -> Iterator[None]:
    """Whoever imports them meanwhile is told that they are not installed."""
    present = {name: sys.modules[name] for name in packages if name in sys.modules}
    for name in packages:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python spells it
    try:
        yield
    finally:
        for name in packages:
            del sys.modules[name]
        sys.modules.update(present)
