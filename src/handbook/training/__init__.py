"""Training: what pages learn with; loops, checkpoints, augmentation, encodings, and models as files."""
