"""`python -m tools.examples`: write the files."""

from __future__ import annotations

from tools.examples.made import FOLDER, files

for path, text in files().items():
    target = FOLDER / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
for folder in {(FOLDER / path).parent for path in files()}:
    for old in folder.iterdir():
        if old.relative_to(FOLDER).as_posix() not in files():
            old.unlink()
