"""A page in the browser to try the champions by hand: served on loopback, loading nothing from anywhere else."""
