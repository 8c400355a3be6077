"""What axe-core finds: https://github.com/dequelabs/axe-core"""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds serious on a page."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url}: {rule['id']}" for rule in found if rule["impact"] in ("serious", "critical")]
