"""The Handbook of Deep Learning Models made real: datasets, cases and the steps that bind them."""

__version__ = "0.1.0"
