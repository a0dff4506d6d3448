"""What a browser says about the policies of a page."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import ConsoleMessage, Page

REPORT = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error("Content Security Policy: " + [event.violatedDirective, event.blockedURI, event.sourceFile].join(" "));
});
"""


def hear_refusals(page: Page) -> list[str]:
    """Grows with everything that a policy of a page makes the browser refuse."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if re.search("content.security.policy|permissions.policy", message.text, re.IGNORECASE):
            found.append(f"{page.url}: {message.text}")

    page.add_init_script(REPORT)
    page.on("console", hear)
    return found


def wait_until(is_so: Callable[[], bool], page: Page) -> None:
    """While the page goes on, whose events are heard only in between."""
    give_up = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < give_up
        page.wait_for_timeout(50)
