"""A verified track record for trading scripts, models and strategies.

The rules work in a notebook: :mod:`trackrecord.extraction`,
:mod:`trackrecord.tracking`, :mod:`trackrecord.performance`. Strategies publish
with :class:`trackrecord.sdk.Publisher`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trackrecord.extraction import (
        extract_recommendation_from_output,
        extract_result_from_output,
        generate_ai_insight,
    )

__all__ = [
    "extract_recommendation_from_output",
    "extract_result_from_output",
    "generate_ai_insight",
]


def __getattr__(name: str) -> Any:
    # Imported on first use: `import trackrecord.sdk` must not load the extraction rules.
    if name in __all__:
        from trackrecord import extraction  # noqa: PLC0415 - see above

        return getattr(extraction, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
