"""A trained ensemble as files: LightGBM's text, numbers as JSON, and a manifest with digests.

Nothing that is read can run. A file that was changed since it was written is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from trackrecord.errors import TrackrecordError
from trackrecord.learning.ensemble import Blend, Ensemble, Thresholds
from trackrecord.learning.members import Linear, Trees

MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_TREES: Final = ("forest", "boosting")
_ARRAYS: Final = ("median", "mean", "scale", "weights")


class TamperedError(TrackrecordError, ValueError):
    """A model's files are not those that its manifest was written for."""


def pack(ensemble: Ensemble, about: Mapping[str, Any]) -> dict[str, bytes]:
    """Write an ensemble as files.

    Args:
        ensemble: The ensemble.
        about: What else is to be known of it; JSON values.

    Returns:
        Contents by name, the manifest among them.
    """
    files = {
        f"{kind}.txt": model.text.encode()
        for kind, model in ensemble.models.items()
        if isinstance(model, Trees)
    }
    linear = ensemble.models["logistic"]
    if not isinstance(linear, Linear):
        raise TypeError(f"the logistic regression is no {Linear.__name__}")
    files["logistic.json"] = _json(
        {name: getattr(linear, name).tolist() for name in _ARRAYS} | {"intercept": linear.intercept}
    )
    content = {
        "format": _FORMAT,
        "features": list(ensemble.features),
        "blend": {
            "weights": list(ensemble.blend.weights),
            "intercept": ensemble.blend.intercept,
        },
        "thresholds": {"buy": ensemble.thresholds.buy, "strong": ensemble.thresholds.strong},
        "about": dict(about),
        "files": {name: _digest(data) for name, data in sorted(files.items())},
    }
    files[MANIFEST] = _json({"version": _digest(_json(content))[:12], **content})
    return files


def version_of(files: Mapping[str, bytes]) -> str:
    """The version of a packed ensemble: it follows from all that the files hold."""
    return str(json.loads(files[MANIFEST])["version"])


def unpack(files: Mapping[str, bytes]) -> tuple[Ensemble, dict[str, Any]]:
    """Read an ensemble and its manifest from files.

    Raises:
        TamperedError: A file is missing or not the one that was written.
    """
    if MANIFEST not in files:
        raise TamperedError(f"there is no {MANIFEST}")
    try:
        manifest = json.loads(files[MANIFEST])
        version = manifest.pop("version")
        digests = manifest["files"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TamperedError(f"{MANIFEST} cannot be read: {error}") from None
    if _digest(_json(manifest))[:12] != version:
        raise TamperedError(f"{MANIFEST} is not the one that was written")
    if manifest["format"] != _FORMAT:
        raise TamperedError(f"format {manifest['format']} is not known here, only {_FORMAT}")
    for name, digest in digests.items():
        if name not in files:
            raise TamperedError(f"{name} is missing")
        if _digest(files[name]) != digest:
            raise TamperedError(f"{name} was changed after it was written")
    linear = json.loads(files["logistic.json"])
    arrays = {name: np.array(linear[name], np.float64) for name in _ARRAYS}
    ensemble = Ensemble(
        {
            **{kind: Trees(files[f"{kind}.txt"].decode()) for kind in _TREES},
            "logistic": Linear(**arrays, intercept=float(linear["intercept"])),
        },
        Blend(tuple(manifest["blend"]["weights"]), manifest["blend"]["intercept"]),
        Thresholds(**manifest["thresholds"]),
        tuple(manifest["features"]),
    )
    return ensemble, {"version": version, **manifest}


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
