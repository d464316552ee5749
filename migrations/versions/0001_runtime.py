"""Positions, outbox and dead letters: what the runtime keeps for every stage."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE consumer_offsets (
            stage         text        NOT NULL,
            topic         text        NOT NULL,
            partition     integer     NOT NULL,
            topic_id      text        NOT NULL,
            next_offset   bigint      NOT NULL,
            epoch         bigint      NOT NULL,
            owner_pid     integer,
            owner_started timestamptz,
            updated_at    timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (stage, topic, partition)
        );
        COMMENT ON TABLE consumer_offsets IS
            'Where each stage is in each partition, moved only with the effects, only by the owner';

        CREATE TABLE outbox (
            id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stage            text    NOT NULL,
            source_topic     text    NOT NULL,
            source_partition integer NOT NULL,
            topic            text    NOT NULL,
            key              bytea,
            value            bytea,
            headers          jsonb   NOT NULL,
            written_at       timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX outbox_source ON outbox (stage, source_topic, source_partition, id);
        COMMENT ON TABLE outbox IS
            'Events decided but not yet acknowledged by the broker; headers as [name, hex] pairs';

        CREATE TABLE dead_letters (
            id          text        PRIMARY KEY,
            stage       text        NOT NULL,
            topic       text        NOT NULL,
            partition   integer     NOT NULL,
            log_offset  bigint      NOT NULL,
            appended_at timestamptz NOT NULL,
            key         bytea,
            value       bytea,
            headers     jsonb       NOT NULL,
            error_class text        NOT NULL,
            reason      text        NOT NULL,
            first_seen  timestamptz NOT NULL,
            attempt     integer     NOT NULL,
            replayed_at timestamptz
        );
        CREATE INDEX dead_letters_seen ON dead_letters (first_seen, id);
        COMMENT ON TABLE dead_letters IS
            'Messages that had no effect, their bytes unchanged, and why';
    """)
