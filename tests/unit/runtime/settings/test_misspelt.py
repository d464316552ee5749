"""A misspelt setting is named, and what others read is left alone."""

from __future__ import annotations

import pytest

from trackrecord.runtime.settings import Settings
from trackrecord.runtime.settings.misspelt import unknown_variables


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("TRACKRECORD_BATCHSIZE", "TRACKRECORD_BATCH_SIZE"),
        ("TRACKRECORD_SESION_TIMEOUT_MS", "TRACKRECORD_SESSION_TIMEOUT_MS"),
        ("TRACKRECORD_BOOTSTRAP_SERVERS", "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"),
        ("TRACKRECORD_ZZZ", None),
    ],
)
def test_what_nothing_reads_is_named_with_the_setting_most_like_it(
    variable: str, nearest: str | None
) -> None:
    [found] = unknown_variables({variable: "s3cret", "PATH": "/bin"})
    assert (found.variable, found.nearest) == (variable, nearest)
    assert variable in str(found)
    assert (nearest or "trackrecord settings") in str(found)
    assert "s3cret" not in str(found)


def test_settings_and_what_others_read_are_known() -> None:
    environ = {str(field.validation_alias): "x" for field in Settings.model_fields.values()}
    environ |= dict.fromkeys(
        [
            "TRACKRECORD_KAFKA_SASL_PASSWORD", "TRACKRECORD_SPOOL_DIR", "TRACKRECORD_STAGE",
            "TRACKRECORD_INSTANCE", "TRACKRECORD_LOCAL_CACHE", "TRACKRECORD_VERSION", "HOME",
        ],
        "x",
    )  # fmt: skip
    assert unknown_variables(environ) == []


def test_all_are_named_in_order() -> None:
    found = unknown_variables({"TRACKRECORD_B": "", "TRACKRECORD_A": ""})
    assert [each.variable for each in found] == ["TRACKRECORD_A", "TRACKRECORD_B"]
