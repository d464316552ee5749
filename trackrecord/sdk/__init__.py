"""Publish events from any strategy, script or model.

>>> from trackrecord.sdk import Publisher
>>> with Publisher("my_strategy") as publisher:  # doctest: +SKIP
...     signal = publisher.signal("AAPL", "BUY", price="150.25")
...     publisher.exit(signal, price="151.80", reason="target")

Needs pydantic and confluent-kafka, and no broker to begin with.
"""

from trackrecord.events import InvalidEventError
from trackrecord.sdk.delivery import Delivery, DeliveryCallback, Stats
from trackrecord.sdk.publisher import Publisher

__all__ = ["Delivery", "DeliveryCallback", "InvalidEventError", "Publisher", "Stats"]
