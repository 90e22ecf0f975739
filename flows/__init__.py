"""Flows, which only compose tasks, and the `winnow` command."""
