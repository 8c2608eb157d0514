"""`python -m synode_df`."""

import sys

from synode_df.cli import main

if __name__ == "__main__":
    sys.exit(main())
