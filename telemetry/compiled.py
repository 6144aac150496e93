"""Compiled recurrences: plain loops over columns, compiled by Numba at their first call and kept in a cache on disk.

A recurrence is written for one lift and one reading in plain `if`s over columns sorted by lift and time. Its memory is
a structured array with one record for each lift, which it changes in place; records are read and written by name
(`own["since_ns"]`), which means the same to Numba and to Python. With `NUMBA_DISABLE_JIT=1` in the environment the same
functions run as they are written.

The cache is in `NUMBA_CACHE_DIR` where that is set, else beside the sources, else in the user's cache folder. A
function's code is stale when a file changes that holds the function or a compiled function that it calls. A cache that
is stale or cannot be written costs time and is never an error.
"""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Callable
from functools import cache
from inspect import getmodule, getsource
from types import ModuleType
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import caching
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Columns = TypeVar("Columns", bound=tuple[Any, ...])
DTYPES = {"F64": np.float64, "I64": np.int64, "I32": np.int32, "Bools": np.bool_}

_config: Any = numba.config
LOCATORS = ",".join(f"{__name__}.{name}" for name in ("ChosenFolder", "BesideSources", "UserFolder"))
_functions: list[Any] = []
_unkept: list[str] = []
_with_compiled: dict[ModuleType, bool] = {}
UNREADABLE = (AttributeError, EOFError, ImportError, IndexError, KeyError, TypeError, ValueError)
"""What reading a file of the cache raises that is cut short or names a class that is no longer there."""


def compiled(function: Function) -> Function:
    """Return `function` compiled without the interpreter and without its lock, its code kept in the cache on disk."""
    made: Any = numba.njit(nogil=True, error_model="numpy")(function)
    if not _config.DISABLE_JIT:
        _functions.append(made)
        _enable_caching(made)
    return cast(Function, made)


def _enable_caching(made: Any) -> None:
    """Keep the code of `made` in the cache; where that fails, note the error and continue."""
    usual, _config.CACHE_LOCATOR_CLASSES = _config.CACHE_LOCATOR_CLASSES, LOCATORS
    try:
        made.enable_caching()
    except (RuntimeError, OSError) as error:  # no cache folder can be made, or the source cannot be read
        _unkept.append(str(error))
        return
    finally:
        _config.CACHE_LOCATOR_CLASSES = usual
    cache = made._cache
    files = cache._cache_file
    files._load_index = _if_readable(files._load_index, otherwise=dict)
    files._load_data = _if_readable(files._load_data, otherwise=lambda: None)
    cache.load_overload = _if_possible(cache.load_overload, cache.cache_path)
    cache.save_overload = _if_possible(cache.save_overload, cache.cache_path)


def _if_possible(act: Callable[..., Any], folder: str) -> Callable[..., Any]:
    """Return `act` on the cache, which notes what the file system refuses and returns None."""

    def attempt(*arguments: Any) -> Any:
        try:
            return act(*arguments)
        except OSError as error:
            _unkept.append(f"{folder}: {error.strerror}")
            return None

    return attempt


def _if_readable(read: Callable[..., Any], otherwise: Callable[[], Any]) -> Callable[..., Any]:
    """Return `read` of a file of the cache, which returns `otherwise()` where the file cannot be unpickled."""

    def attempt(*arguments: Any) -> Any:
        try:
            return read(*arguments)
        except (caching.pickle.UnpicklingError, *UNREADABLE):
            return otherwise()

    return attempt


def inlined(function: Function) -> Function:
    """Return `function` for use in compiled functions only: compiled anew in each, for the records that each has."""
    return cast(Function, numba.njit(error_model="numpy", inline="always")(function))


def records(n: int, dtype: np.dtype[np.void], **start: float) -> NDArray[np.void]:
    """Return `n` records of `dtype`: each field holds its value of `start`, or zero."""
    made = np.zeros(n, dtype=dtype)
    for name, value in start.items():
        made[name] = value
    return made


def copied(memory: NDArray[np.void]) -> NDArray[np.void]:
    """Return a copy of records, made as bytes: NumPy copies records with padding ten times slower, field by field."""
    return memory.view(_as_bytes(memory.dtype.itemsize)).copy().view(memory.dtype)


@cache
def _as_bytes(size: int) -> np.dtype[np.void]:
    return np.dtype((np.void, size))


def taken(memory: NDArray[np.void], places: NDArray[np.integer[Any]]) -> NDArray[np.void]:
    """Return a copy of the records at these places, made as bytes."""
    chosen: NDArray[np.void] = memory.view(_as_bytes(memory.dtype.itemsize))[places].view(memory.dtype)
    return chosen


def put(memory: NDArray[np.void], places: NDArray[np.integer[Any]], changed: NDArray[np.void]) -> None:
    """Write records to these places of `memory`, which is changed."""
    as_bytes = _as_bytes(memory.dtype.itemsize)
    memory.view(as_bytes)[places] = changed.view(as_bytes)


def columns(kind: type[Columns], n: int, **given: Any) -> Columns:
    """Return a named tuple of columns of `n` rows to be written: those `given`, and new ones by their annotations."""
    annotations = {name: text.__forward_arg__ for name, text in kind.__annotations__.items()}
    fresh: dict[str, Any] = {name: np.empty(n, DTYPES[annotations[name]]) for name in annotations if name not in given}
    return kind(**fresh, **given)


def compilations() -> int:
    """Return the number of functions that this process compiled because the cache lacked them."""
    return sum(sum(made.stats.cache_misses.values()) for made in _functions)


def not_kept() -> str:
    """Return the errors of keeping compiled code in the cache, empty without errors."""
    return _unkept[-1] if _unkept else ""


class _StampOfCallees:
    """A cache locator whose stamp covers the sources of all modules whose compiled functions a function may call.

    Numba's own stamp covers the function's file alone, so that it would go on with the old code of a changed callee.
    """

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        super().__init__(py_func, py_file)  # type: ignore[call-arg]
        self._modules = _modules_of(py_func)

    def ensure_cache_path(self) -> None:
        """Make the folder; one that cannot be written is taken as well, for what it holds already."""
        try:
            super().ensure_cache_path()  # type: ignore[misc]
        except OSError:
            if not os.path.isdir(self.get_cache_path()):  # type: ignore[attr-defined]
                raise

    def get_source_stamp(self) -> str:
        """Return a hash of the sources."""
        return hashlib.sha256("".join(map(_source_of, self._modules)).encode()).hexdigest()


class ChosenFolder(_StampOfCallees, caching.UserProvidedCacheLocator):
    """The folder that `NUMBA_CACHE_DIR` names."""


class BesideSources(_StampOfCallees, caching.InTreeCacheLocator):
    """`__pycache__` beside the source."""


class UserFolder(_StampOfCallees, caching.UserWideCacheLocator):
    """The user's cache folder."""


def _modules_of(py_func: Callable[..., Any]) -> list[ModuleType]:
    """Return a function's module and those with compiled functions that it imports, and so on, in the order of names.

    Which of their functions it calls is not asked: when it is compiled, those below it in its module are not yet there.
    """
    modules: dict[str, ModuleType] = {}
    waiting = [getmodule(py_func)]
    while waiting:
        module = waiting.pop()
        if module is None or module.__name__ in modules:
            continue
        modules[module.__name__] = module
        for each in vars(module).values():
            if hasattr(each, "py_func"):
                waiting.append(getmodule(each.py_func))
            elif isinstance(each, ModuleType) and _has_compiled_functions(each):
                waiting.append(each)
    return [modules[name] for name in sorted(modules)]


def _has_compiled_functions(module: ModuleType) -> bool:
    """Return whether a module has compiled functions; the answer is kept once the module is imported as a whole."""
    if module not in _with_compiled:
        found = any(hasattr(own, "py_func") for own in vars(module).values())
        if getattr(module.__spec__, "_initializing", False):
            return found
        _with_compiled[module] = found
    return _with_compiled[module]


@cache
def _source_of(module: ModuleType) -> str:
    return getsource(module)
