"""The networks: one model a file, `load(ref)` and `predict(model, input)`."""
