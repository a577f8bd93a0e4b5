"""Monitoring: batches that come in, drift, the champion's score, and retraining."""
