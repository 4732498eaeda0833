"""A real Chromium for tests: Debian's, driven by Playwright; every page is watched for what must not happen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.suites import missing

#: Chromium looks for nothing outside by itself, and runs as root in a container.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str:
    """The browser's path: `PROVSTORE_CHROMIUM`, or Debian's; a skip, or a failure where CI is true, without one."""
    found = os.environ.get("PROVSTORE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if not found:
        missing("no Chromium is installed: apt-get install chromium, or name one with PROVSTORE_CHROMIUM")
    assert found
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser; starting one takes about a second, so a module shares it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page of one server, and what went wrong on it: console errors, failed requests, foreign hosts."""

    page: Page
    server: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str, status: int = 200) -> Page:
        """Go to a path of the server and wait until the page is still."""
        answer = self.page.goto(self.server + path, wait_until="networkidle")
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    def serious(self) -> list[str]:
        """What axe-core finds on the page as it is now that is serious or critical."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {each['help']}: {node['html'][:200]}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"][:3]
        ]


@contextmanager
def watched(
    browser: Browser, server: str, *, dark: bool = False, width: int = 1280, scripts: bool = True
) -> Iterator[Watched]:
    """A fresh page; at its end nothing may have gone wrong, but for what the test took out of `faults`."""
    context = browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        accept_downloads=True,
        bypass_csp=False,
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    found = Watched(page, server)
    host = urlsplit(server).netloc

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.faults.append(f"console: {message.text}")

    def asked(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != host:
            found.faults.append(f"foreign host: {request.url}")

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what the page itself called off, for a newer question
            found.faults.append(f"failed: {request.url} {request.failure}")

    page.on("console", said)
    page.on("pageerror", lambda error: found.faults.append(f"script: {error}"))
    page.on("request", asked)
    page.on("requestfailed", failed)
    page.on(
        "response",
        lambda answer: found.faults.append(f"{answer.status}: {answer.url}") if answer.status >= 500 else None,
    )
    try:
        yield found
        assert not found.faults, found.faults
    finally:
        context.close()
