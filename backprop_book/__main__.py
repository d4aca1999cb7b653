"""`python -m backprop_book check module:function`."""

import sys

from backprop_book.command_line import main

if __name__ == "__main__":
    sys.exit(main())
