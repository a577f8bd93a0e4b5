"""What is written beside its place goes when it cannot be moved in: a full disk gets its room back."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def removed(*places: Path) -> Iterator[None]:
    """Whatever stops the block, nothing half-written stays beside these places or in them."""
    try:
        yield
    except BaseException:
        for place in places:
            fresh = place.with_name(f".{place.name}.new")
            for left in [fresh, *(place.rglob(".*.new") if place.is_dir() else ())]:
                _remove(left)
        raise


def _remove(left: Path) -> None:
    with contextlib.suppress(OSError):  # what stopped us is said, not this
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
