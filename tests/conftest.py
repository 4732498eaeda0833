"""What holds for every test."""

from __future__ import annotations

import signal

# Tests that are started in the background ignore SIGINT, and so would all that they start and mean to interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
