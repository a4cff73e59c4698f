"""How the tests read a page."""

import re


def read(client, address, asked=None):
    """Its HTML, with one space for each run of white space."""
    response = client.get(address, asked)
    assert response.status_code == 200, response.content.decode()[:500]
    return re.sub(r"\s+", " ", response.content.decode())


def finding(page):
    """The sentence with which a page of numbers begins."""
    return re.sub("</?a[^>]*>", "", re.search(r'class="card finding.*?<p>(.*?)</p>', page)[1])
