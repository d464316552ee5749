"""What the document promises, held against what is answered, for requests that nobody thought of.

Quick here; ``make api-fuzz`` does the same with more requests and for longer.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from tests.support.serving import Served

pytestmark = pytest.mark.kafka

CASES = int(os.environ.get("TRACKRECORD_FUZZ_CASES", "6"))
SEED = 21

load_all_checks()
