"""The orchestration: Prefect decides when, where and how many at once; DVC knows what is stale."""
