"""``python -m skmsnn``."""

import sys

from skmsnn.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
