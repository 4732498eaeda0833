"""What counts as shown, of what was printed."""

from __future__ import annotations

import pytest

from tests.walking import steps, unseen

PRINTED = """verdict   kind
────────  ────────────
affected  ModelVersion
fine      Prediction
(2 of 2)
"""


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (PRINTED, None),
        ("verdict kind\n─── ──\naffected ModelVersion\nfine Prediction\n(2 of 2)", None),
        ("…\nfine Prediction\n…", None),
        ("verdict …\n…\n(… of 2)", None),
        ("", None),
        ("fine Prediction\n…", "fine Prediction"),
        ("…\nfine Decision\n…", "fine Decision"),
        ("…\n(2 of 2)\nfine Prediction", "fine Prediction"),
        ("verdict kind", "(it shows no more, but more came)"),
        ("…\nfine", "fine"),
        (f"{PRINTED}one more", "one more"),
    ],
)
def test_what_is_shown_is_what_was_printed(shown: str, missing: str | None) -> None:
    assert unseen(shown, PRINTED) == missing


def test_the_steps_of_a_page() -> None:
    page = """Text.

```sh
make run   # done already
```

```sh
one
two
```

```text
2
```

```python
three
```

```text
no output of a command
```

```sh
four
```
"""
    assert [(step.script, step.shown, step.line) for step in steps(page)] == [
        ("one\ntwo\n", "2\n", 8),
        ("four\n", None, 25),
    ]
