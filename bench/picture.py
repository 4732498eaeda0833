"""The lineage picture against cytoscape with dagre: the same 2,000 nodes, the same Chromium, until they are seen.

Both are measured from the beginning of the navigation to the first frame with the nodes, each the better of some runs.
Ours is the page of a server, which answers the question too; theirs is a page that has the answer as a file beside it.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, sync_playwright

from bench.ingest import holds, serving

Times = tuple[float, float]  # milliseconds from the answer on, and from the beginning of the navigation on
_NODES, _RUNS, _PATIENCE = 2_000, 5, 180_000  # the last in milliseconds
_QUESTION = f"/lineage?entity=urn:bench:0&level=state&direction=both&limit={_NODES}"
_REFERENCE = Path(__file__).parent / "cytoscape"
#: Marks when a frame with all nodes has been painted, as the reference page does: after the frame that follows drawing.
_WATCH = f"""window.painted = new Promise((done) => new MutationObserver((_, watch) => {{
    const stage = document.querySelector('.stage');
    if (stage?.dataset.things !== '{_NODES}' || !stage.querySelector('a.node, .bulk.shape')) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now())));
}}).observe(document, {{ subtree: true, childList: true, attributes: true }}));"""
_ALL = """new Promise((done) => {
    const from = performance.now();
    document.querySelector('[aria-label^="Show all"]').click();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - from)));
})"""


def main() -> None:
    """Print the table; says so where there is no Chromium or no npm."""
    chromium = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if not chromium:
        print("There is no Chromium to measure in.")
        return
    with sync_playwright() as playwright, serving("prov-core:off") as url:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        _fill(url)
        opened, whole = _ours(browser, url)
        theirs = _theirs(browser, url)
        browser.close()
    _print(opened, whole, theirs)


def _fill(url: str) -> None:
    """A lineage of things that are each made of one or two of those not long before them, and all of the first."""
    chance = random.Random(7)
    lines = ["<urn:bench:0> a prov:Entity ."]
    for n in range(1, _NODES):
        count = 2 if chance.random() < 0.4 else 1
        sources = {max(0, n - 1 - int(chance.random() * chance.random() * min(n, 140))) for _ in range(count)}
        lines += [f"<urn:bench:{n}> a prov:Entity ; prov:wasDerivedFrom <urn:bench:{source}> ." for source in sources]
    text = "@prefix prov: <http://www.w3.org/ns/prov#> .\n" + "\n".join(lines)
    with urlopen(Request(f"{url}/records", text.encode(), {"Content-Type": "text/turtle"})) as response:
        index = json.load(response)["index"]
    while not holds(url, index):
        continue  # each try waits some seconds itself


def _ours(browser: Browser, url: str) -> tuple[Times, Times]:
    """Of the page as it opens, and until it shows the whole of its picture at once."""
    opened, whole = [], []
    for _ in range(_RUNS):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_WATCH)
        page.goto(f"{url}{_QUESTION}&fold=none")
        painted = float(page.evaluate("window.painted"))
        # the answer is in the page: its script runs when all of that is read
        began = float(page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive"))
        more = float(page.evaluate(_ALL))
        opened.append((painted - began, painted))
        whole.append((painted - began + more, painted + more))
        page.close()
    return _best(opened), _best(whole)


def _best(found: list[Times]) -> Times:
    return min(each[0] for each in found), min(each[1] for each in found)


def _theirs(browser: Browser, url: str) -> dict[str, Times | None]:
    """Way to rank → times until cytoscape shows the same; None where it takes too long. Empty without npm."""
    if not shutil.which("npm"):
        print("There is no npm to install cytoscape with.\n")
        return {}
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        shutil.copytree(_REFERENCE, home, dirs_exist_ok=True)
        quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")
        if subprocess.run(("npm", "install", *quiet), cwd=home, check=False).returncode:
            print("npm could not install cytoscape.\n")
            return {}
        with urlopen(f"{url}{_QUESTION}&picture=true") as response:
            (home / "answer.json").write_bytes(response.read())
        with _files(home) as reference:
            return {ranker: _reference(browser, reference, ranker) for ranker in ("longest-path", "tight-tree", "")}


def _reference(browser: Browser, url: str, ranker: str) -> Times | None:
    times: list[Times] = []
    for _ in range(2 if ranker else 1):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{url}/index.html?ranker={ranker}")
        try:
            page.wait_for_function("window.painted", timeout=_PATIENCE)
            drawn = page.evaluate("[window.painted - window.began, window.painted]")
            times.append((drawn[0], drawn[1]))
        except Exception as error:  # Playwright's own, which says only what the table says
            if "Timeout" not in str(error):
                raise
        page.close()
    return _best(times) if times else None


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the table is what is printed."""


@contextmanager
def _files(home: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(home)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def _print(opened: Times, whole: Times, theirs: dict[str, Times | None]) -> None:
    print(f"{_NODES:,} nodes until the first frame with them: from the answer on (layout and drawing), and from the")
    print("beginning of the navigation on.\n")
    print("| picture | from the answer | ÷ ours | from the navigation | ÷ ours |\n|---|---|---|---|---|")
    for what, times in (("the lineage page as it opens", opened), ("… and with all nodes in sight at once", whole)):
        print(f"| {what} | {_row(times, opened)} |")
    for ranker, found in theirs.items():
        what = f"cytoscape and dagre, {ranker or 'network-simplex, its default'}"
        print(f"| {what} | {_row(found, opened) if found else f'more than {_PATIENCE / 1000:.0f} s | | |'} |")


def _row(times: Times, ours: Times) -> str:
    return " | ".join(f"{spent:.0f} ms | {spent / least:.1f}" for spent, least in zip(times, ours, strict=True))


if __name__ == "__main__":
    main()
