"""Hostile inputs, made by a seed: what a disk, an editor, a merge, a stranger or a tired person may bring."""
