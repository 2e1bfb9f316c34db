"""`python -m wslab`."""

import sys

from wslab.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
