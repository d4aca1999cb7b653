"""What `check_gradient` and `diagnose` are made of.

`slopes` measures a derivative with care, and `probing` calls a user's function with suspicion. For
a diagnosis `tracing` records the steps of the function, `circuits` measures the derivative of each
and sweeps backwards, and the other modules hold the mistakes, each made on purpose in those steps.
"""
