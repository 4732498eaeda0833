"""`python -m provstore` is the command line."""

import sys

from provstore.cli import main

sys.exit(main())
