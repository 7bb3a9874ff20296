"""What is shown of a C: scores, curves, films, coverage."""
