"""Sweeps: ranges of parameters, trials, and the proposal of the best."""
