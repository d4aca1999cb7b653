"""The press: runs the book's pages, proves what they show, and turns them into the site."""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # NumPy's, PyTorch's
    os.environ.setdefault(name, "1")  # pages run side by side, a thread for each
