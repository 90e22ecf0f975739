"""Pure values and functions: what Winnow knows without an orchestrator or a network."""
