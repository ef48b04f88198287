"""The page of the demo as a picture for the README: `python -m docs.screenshot`, where a Chromium is installed."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "pictures" / "report.png"
SIZE = {"width": 1240, "height": 1190}


def main() -> None:
    """Train the demo, open its page, and keep what fits a screen."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        subprocess.run([sys.executable, "-m", "trimtab", "demo"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        opened = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = opened.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        page.goto((Path(folder) / "trimtab-demo.html").as_uri())
        page.wait_for_function("document.querySelectorAll('.chart svg, .chart canvas').length > 5")
        image = Image.open(io.BytesIO(page.screenshot()))
        image.convert("P", palette=Image.Palette.ADAPTIVE).save(PICTURE, optimize=True)
        opened.close()


if __name__ == "__main__":
    main()
