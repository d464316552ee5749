"""Going on after a topic was deleted and made anew, when that was meant."""

from __future__ import annotations

from trackrecord.runtime import kafka
from trackrecord.runtime.database import rows, session
from trackrecord.runtime.settings import Settings


def accept_new_topics(settings: Settings) -> list[str]:
    """Start every stage at the beginning of topics whose id has changed.

    What was derived from the old topic stays in the tables.

    Returns:
        The topics.

    Raises:
        PassingError: The broker or the database does not answer.
    """
    with session(settings, application="trackrecord topics") as cursor:
        known = rows(
            cursor,
            "SELECT stage, topic, partition, topic_id, next_offset FROM consumer_offsets"
            " ORDER BY stage, topic, partition FOR UPDATE",
        )
        if not known:
            return []
        origins = kafka.origins(kafka.admin(settings), {(row[1], row[2]) for row in known})
        changed = set()
        for stage, topic, partition, topic_id, next_offset in known:
            origin = origins[topic, partition]
            lost = not origin.first_offset <= next_offset <= origin.end_offset
            if origin.topic_id == topic_id and not lost:
                continue
            cursor.execute(
                "UPDATE consumer_offsets SET topic_id = %s, next_offset = %s,"
                " epoch = epoch + 1 WHERE stage = %s AND topic = %s AND partition = %s",
                (origin.topic_id, origin.first_offset, stage, topic, partition),
            )
            changed.add(topic)
        return sorted(changed)
