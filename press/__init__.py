"""The press: runs the book's pages, proves what they show, and turns them into the site."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # pages run side by side, a thread for each
