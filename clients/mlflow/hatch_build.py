"""Takes `provstore.observe`, which needs the standard library alone, into the wheel as `provstore_mlflow.observe`."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_IMPORT = re.compile(rb"^(\s*(?:from|import) )provstore\.observe\b", re.MULTILINE)


class Observe(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        home = Path(self.root)
        found = home / "observe" if (home / "observe").is_dir() else home.parents[1] / "provstore" / "observe"
        if self.target_name == "sdist":
            build_data["force_include"][str(found)] = "observe"
            return
        if version == "editable":
            return
        self._made = Path(tempfile.mkdtemp())
        for source, target in ((found, "observe"), (home / "provstore_mlflow", "")):
            for path in sorted(source.glob("*.py")):
                made = self._made / target / path.name
                made.parent.mkdir(parents=True, exist_ok=True)
                made.write_bytes(_IMPORT.sub(rb"\1provstore_mlflow.observe", path.read_bytes()))
        build_data["force_include"][str(self._made)] = "provstore_mlflow"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if hasattr(self, "_made"):
            shutil.rmtree(self._made, ignore_errors=True)
