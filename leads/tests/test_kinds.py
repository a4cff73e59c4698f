"""What activities are called."""

import pytest

from leads.kinds import KINDS, did, label, named


@pytest.mark.parametrize(
    ("kind", "asset", "title", "words"),
    [
        ("page_view", "/pricing", "", "viewed /pricing"),
        ("page_view", "/pricing", "Prices {asset}", "viewed “Prices {asset}”"),
        ("hand_raise", "demo-request", "", "asked for sales through demo request"),
        ("hand_raise", "", "", "asked for sales"),
        ("search", "e-mail tools", "", "searched for “e-mail tools”"),
        ("search", "", "", "searched on the site"),
        ("own_{event}", "a-b", "", "own {event} a b"),
    ],
)
def test_what_somebody_did(kind, asset, title, words):
    assert did(kind, named(kind, asset, title)) == words


def test_a_kind_from_outside_is_called_as_it_calls_itself():
    assert label("own_event") == "own_event" and all(label(kind) != kind for kind in KINDS)
