"""One Prefect task for each side effect worth caching or retrying."""
