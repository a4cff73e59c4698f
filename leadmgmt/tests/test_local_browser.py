"""The fixture of the browser tests sees what goes wrong; without this every one of them could pass blindly."""

import pytest

from leadmgmt.local.pytest_browser import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ELSEWHERE = "http://127.0.0.1:9/pixel.png"
WRONG = {
    "console.error('so')": "so ",
    "console.warn('hm')": "hm ",
    "setTimeout(() => { throw new Error('thrown') })": "thrown",
    "alert('hello')": "dialog: hello",
    f"new Image().src = '{ELSEWHERE}'": f"asked {ELSEWHERE}",
}
UNREADABLE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1"><title>T</title>
<body style="margin: 0"><main><h1>T</h1><img src="data:,"><p style="width: 500px">wide</p></main></body></html>"""


@pytest.fixture
def windows(chromium, live_server):
    windows = Windows(chromium, live_server.url)
    yield windows
    windows.close()


@pytest.mark.parametrize("script", WRONG)
def test_what_goes_wrong_is_noted(windows, script):
    page = windows()
    page.goto("about:blank")
    page.evaluate(script)
    page.wait_for_timeout(200)
    found = windows.unexpected()
    assert [text for text in found if WRONG[script] in text]
    for text in found:
        windows.expect(text)
    assert windows.unexpected() == []


def test_what_was_expected_has_to_come(windows):
    windows().goto("/sign-in/")
    windows.expect("400 (Bad Request)")
    assert windows.unexpected() == ["expected and not seen: 400 (Bad Request)"]


def test_axe_and_the_width_are_looked_at(windows, tmp_path, monkeypatch):
    monkeypatch.setenv("PICTURES", str(tmp_path))
    page = windows(look="phone")
    page.set_content(UNREADABLE)
    with pytest.raises(pytest.fail.Exception, match="image-alt"):
        windows.accessible(page, "wrong")
    assert windows.too_wide(page)
    assert (tmp_path / "wrong-phone.png").exists()


def test_a_window_belongs_to_somebody_or_nobody(window, look, admin_user):
    page = window(admin_user, look)
    page.goto("/admin/")
    assert page.url.endswith("/admin/")
    stranger = window(None, look)
    stranger.goto("/admin/")
    assert "/sign-in/" in stranger.url
