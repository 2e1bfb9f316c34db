"""`python -m wslab`."""

import sys

from wslab.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
