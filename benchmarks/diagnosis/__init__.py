"""Functions with correct and mistaken backward passes, each mistake labelled."""
