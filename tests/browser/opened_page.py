"""A page in a real browser, and all that it did while it was open."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAMS = (
    "chromium",
    "chromium-headless-shell",
    "chromium-browser",
    "google-chrome",
)  # the first on the PATH is taken
INSIDE = ("data:", "blob:", "about:")  # addresses that leave nothing
WEIGHTY = ("serious", "critical")  # of axe-core's four impacts
LIKE_OTHERS = ["tbody tr:nth-child(n + 6)"]  # elements that axe-core need not look at: rows like those above them


def program() -> str | None:
    """The browser that is installed; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def switches() -> list[str]:
    """What the browser is started with: its sandbox refuses root."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


@dataclass
class OpenedPage:
    """A page that shows a file; `page` is playwright's."""

    page: Any
    file: Path = Path()
    errors: list[str] = field(default_factory=list)  # of the console, and those that nothing caught
    requests: list[str] = field(default_factory=list)  # addresses other than the file's own

    def __post_init__(self) -> None:
        self.page.on(
            "console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self._request(request.url))

    def show(self, file: Path) -> None:
        """Load a file, and forget what the one before it did."""
        self.page.goto("about:blank")
        self.file = file
        self.errors.clear()
        self.requests.clear()
        self.page.goto(file.as_uri())

    def _dialog(self, dialog: Any) -> None:
        self.errors.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, address: str) -> None:
        if address.partition("#")[0] != self.file.as_uri() and not address.startswith(INSIDE):
            self.requests.append(address)

    def assert_quiet(self) -> None:
        """Nothing went wrong so far, and nothing was asked of anybody."""
        assert (self.errors, self.requests) == ([], [])

    def violations(self, *rules: str) -> list[str]:
        """What axe-core finds serious or critical by some rules, or all, with the elements that it means."""
        from axe_playwright_python.sync_playwright import Axe

        options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}  # no others in full
        found = Axe().run(self.page, context={"exclude": LIKE_OTHERS}, options=options).response["violations"]
        return [
            f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes']][:3]}"
            for each in found
            if each["impact"] in WEIGHTY
        ]
