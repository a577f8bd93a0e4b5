"""The registry: a ledger of what was registered, the gate, and MLflow as a view of it."""
