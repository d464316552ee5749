-- Count what the batch did, for the metrics.
-- Written by python -m tools.sql from services/signal_tracker/store.

SELECT entries - corrected, corrected, backdated, exits - corrected_exits, corrected_exits,
       excess, before_entry
FROM (SELECT (SELECT count(*) FROM new_entries) AS entries,
             (SELECT count(*) FROM new_entries JOIN old_signals AS o USING (signal_id)
              WHERE o.revision >= 0) AS corrected,
             (SELECT count(*) FROM new_entries AS n
                 WHERE n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s))
                 AS backdated,
             (SELECT count(*) FROM new_exits) AS exits,
             (SELECT count(*) FROM new_exits JOIN old_exits USING (signal_id, exit_id))
                 AS corrected_exits) AS counted,
     (SELECT count(*) FILTER (WHERE closed_quantity = 0) AS excess,
             count(*) FILTER (WHERE before_entry) AS before_entry
      FROM folded WHERE position IS NOT NULL) AS without_effect
