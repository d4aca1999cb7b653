"""Programs that measure the package; none is needed to use it."""
