"""A rule in words reads like English, for one of a thing too."""

import pytest

from scoring.models import Rule
from scoring.rule_words import whole_in_words

VIEWED = {"is": "touchpoint", "kind": "page_view"}
FREE = {"none": [{"any": [{"is": "free_mail"}, {"is": "lead_field", "field": "phone", "op": "unknown"}]}]}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "fit", "points": 500}, "+500 for everybody"),
        ({"kind": "fit", "points": 1, "condition": {"all": [FREE]}}, "+1 when not (the lead writes from a free-mail address or phone is unknown)"),
        ({"kind": "activity", "points": 2}, "+2 each for any activity"),
        (
            {"kind": "activity", "points": 5, "condition": VIEWED, "min_count": 1, "window_days": 1, "cap_points": 1, "who": FREE},
            "+5 once, from 1 match on, at most 1 point, within 1 day, when the lead viewed a page, only for: not (writes from a"
            " free-mail address or phone is unknown)",
        ),
        ({"kind": "activity", "points": 5, "condition": VIEWED, "cap_count": 1}, "+5 each, the last one, when the lead viewed a page"),
        (
            {"kind": "activity", "points": 5, "condition": VIEWED, "steps": [[1, 1.0], [30, 0.5]]},
            "+5 each, fading (100 % to 1 day, 50 % to 30 days, then nothing), when the lead viewed a page",
        ),
        ({"kind": "inactivity", "points": -1, "days": 1}, "−1 when nothing happened for 1 day"),
        ({"kind": "age", "points": -5, "days": 30}, "−5 when the lead has been known for more than 30 days"),
        ({"kind": "hand_raise", "condition": VIEWED}, "sales-ready at once when the lead viewed a page"),
    ],
)  # fmt: skip
def test_it_works(rule, words):
    assert whole_in_words(Rule(**rule)) == words


def test_no_brackets_within_brackets_of_the_same():
    inner = {"any": [{"is": "free_mail"}, {"is": "source", "one_of": ["web"]}]}
    for tree in ({"all": [inner]}, {"all": [{"all": [inner]}]}):
        rule = Rule(kind="fit", points=1, condition=tree)
        assert (
            whole_in_words(rule) == "+1 when the lead writes from a free-mail address or lead source is “web”"
        )
