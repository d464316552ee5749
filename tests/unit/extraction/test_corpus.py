"""The quality promised, on a corpus of real outputs."""

from __future__ import annotations

from typing import Any

from trackrecord.extraction import extract


def test_on_real_outputs_it_decides_rightly_and_stays_silent_otherwise(
    corpus: list[dict[str, Any]],
) -> None:
    pairs = [(extract(case["text"]).final_action, case["gold"]["final_action"]) for case in corpus]
    decided = [got == wanted for got, wanted in pairs if wanted is not None]
    silent = [got is None for got, wanted in pairs if wanted is None]
    said = [got == wanted for got, wanted in pairs if got is not None]
    assert sum(decided) / len(decided) >= 0.92
    assert sum(silent) / len(silent) >= 0.98
    assert sum(said) / len(said) >= 0.95


def test_each_field_of_a_recommendation_is_found(corpus: list[dict[str, Any]]) -> None:
    for field in ("action", "symbol", "entry_price", "target_price", "stop_loss", "confidence"):
        right = wrong = 0
        for case in corpus:
            got = [item.to_json()[field] for item in extract(case["text"]).recommendations]
            wanted = [item[field] for item in case["gold"]["recommendations"]]
            got += [None] * (len(wanted) - len(got))
            wanted += [None] * (len(got) - len(wanted))
            for have, want in zip(got, wanted, strict=True):
                if have is not None and have == want:
                    right += 2
                else:
                    wrong += (have is not None) + (want is not None)
        assert right / (right + wrong) >= 0.85, field
