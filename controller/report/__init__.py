"""What is shown of a C: scores, curves, videos, coverage."""
