"""The fixture `window`: pages in a real browser, which fail the test when anything goes wrong in them.

def test_it(window, look, admin_user):        # `look`: once wide, once on a phone, once in the dark
    page = window(admin_user, look)           # or window(): nobody, wide
    page.goto("/sales/")
    window.accessible(page, "sales")          # and a picture, where PICTURES names a folder
"""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox",  # root may not use the sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1280, "height": 900}
LOOKS = {
    "wide": {"viewport": SIZE},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "dark": {"viewport": SIZE, "color_scheme": "dark"},
}
PATIENCE = 15_000  # ms that an element may take to appear
LOOSEN = """for (const it of document.querySelectorAll("body *"))
  if (getComputedStyle(it).position === "sticky") { it.style.position = "static"; it.dataset.loosened = ""; }"""
FASTEN = """for (const it of document.querySelectorAll("[data-loosened]")) {
  it.style.position = ""; delete it.dataset.loosened; }"""
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_chromium():
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def chromium():
    """One Playwright `Browser` for the run, or a skip with the reason. CHROMIUM names another executable."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium here (Debian: apt install chromium), or name one in CHROMIUM")
    from playwright.sync_api import sync_playwright

    # Playwright's event loop runs in this thread, which makes Django refuse its ORM to the test.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(params=LOOKS)
def look(request):
    return request.param


@pytest.fixture
def window(chromium, live_server):
    windows = Windows(chromium, live_server.url)
    yield windows
    windows.close()
    fail_for(windows.unexpected())


def fail_for(problems):
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


class Windows:
    """Opens windows and notes what goes wrong in them: errors and warnings of the console, exceptions, dialogs, and
    requests to anywhere but the live server."""

    def __init__(self, chromium, base):
        self.chromium, self.base = chromium, base
        self.looks = {}  # of each context
        self.faults, self.foreign, self.expected = [], [], []

    def __call__(self, user=None, look="wide", **options):
        """A Playwright `Page` of its own, signed in as `user`; `options` as for `Browser.new_context`."""
        context = self.chromium.new_context(base_url=self.base, **LOOKS[look] | options)
        self.looks[context] = look
        context.set_default_timeout(PATIENCE)
        context.on("console", self._note_console)
        context.on("weberror", lambda raised: self.faults.append(str(raised.error)))
        context.on("dialog", self._note_dialog)
        context.on("request", self._note_request)
        if user:
            context.add_cookies([self._session_of(user)])
        return context.new_page()

    def expect(self, words):
        """A fault that holds these words belongs to the test, which fails unless it comes."""
        self.expected.append(words)

    def unexpected(self):
        # What the page's own policy stopped is announced but never sent; the console says so.
        faults = self.faults + [f"asked {asked.url}" for asked in self.foreign if asked.failure != "csp"]
        missing = [words for words in self.expected if not any(words in fault for fault in faults)]
        return [fault for fault in faults if not any(words in fault for words in self.expected)] + [
            f"expected and not seen: {words}" for words in missing
        ]

    def accessible(self, page, name):
        """Axe finds nothing, and nothing is wider than the window; a picture is kept as `name`."""
        self.picture(page, name)
        fail_for([f"{name}: {problem}" for problem in self.violations(page) + self.too_wide(page)])

    def violations(self, page, only=LEVELS):
        """What axe finds, in words; `only` as its `runOnly`."""
        from axe_playwright_python.sync_playwright import Axe

        if "/admin/" in page.url:  # its bar of buttons half covers what would be scrolled from under it
            page.evaluate(LOOSEN)
        options = {"runOnly": only, "resultTypes": ["violations"]}
        found = Axe().run(page, options=options)
        page.evaluate(FASTEN)
        return [
            f"{each['id']} × {len(each['nodes'])}: "
            + " | ".join(f"{node['target']} {node['html'][:200]}" for node in each["nodes"][:3])
            for each in found.response["violations"]
        ]

    def resize(self, page, look):
        """The window becomes as large as in another look, without loading its page again."""
        page.set_viewport_size(LOOKS[look]["viewport"])

    def too_wide(self, page):
        width, seen = page.evaluate("document.documentElement.scrollWidth"), page.viewport_size["width"]
        return [f"{width} px in a window of {seen}"] if width > seen else []

    def picture(self, page, name):
        """Kept where PICTURES names a folder, for a person to look at."""
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/{name}-{self.looks[page.context]}.png", full_page=True)

    def close(self):
        for context in self.looks:
            context.close()

    def _session_of(self, user):
        from django.conf import settings
        from django.test import Client

        client = Client()  # its own: signing in as somebody else ends the session before
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        return {"name": name, "value": client.cookies[name].value, "url": self.base}

    def _note_console(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.text} ({message.location['url']})")

    def _note_dialog(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note_request(self, request):
        if not request.url.startswith((self.base, "data:", "about:", "blob:")):
            self.foreign.append(request)
