"""What models learn from and are measured by: readers of labelled data, splits, metrics, evaluation and fitting."""
