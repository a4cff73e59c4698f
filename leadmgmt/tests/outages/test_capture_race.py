"""200 simultaneous HTTP posts of one address, however it is spelled, are one lead and 200 activities."""

import pytest

from leadmgmt.tests.outages.instance import at_once

POSTS = 200
POSTED = """
SELECT count(DISTINCT l.id), count(a.id) FROM leads_lead l
LEFT JOIN leads_activity a ON a.lead_id = l.id
  AND a.touchpoint_id IN (SELECT id FROM leads_touchpoint WHERE kind IN ('form_submit', 'hand_raise', 'lead_posted'))
WHERE lower(trim(l.email)) LIKE %s
"""


def spelled(local, number):
    """The same address in 200 spellings: each bit of the number is a letter in upper or lower case, and spaces around it."""
    letters = [letter.upper() if number >> bit & 1 else letter for bit, letter in enumerate(local)]
    return " " * (number % 3) + "".join(letters) + "@Race.NET" + " " * (number // 3 % 3)


@pytest.mark.parametrize("doors", ["form", "api", "both"])
def test_one_address_is_one_lead(instance, doors):
    def post(number):
        values = {
            "email": spelled(f"adaofthe{doors}", number),
            "company": "Race",
            "company_size": str(100 + number),
        }
        if doors == "form" or (doors == "both" and number % 2):
            return instance.submit(values, "demo-request")
        return instance.capture(values)

    answers = at_once(POSTS, post)
    assert {answer.status for answer in answers} <= {200, 201}
    assert instance.rows(POSTED, [f"adaofthe{doors}@race.net"]) == [(1, POSTS)]
    assert instance.value("SELECT count(*) FROM leads_company WHERE domain = 'race.net'") == 1
    instance.caught_up()
    instance.nothing_twice()
