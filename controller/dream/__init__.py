"""C evolves in M's dream, and the iterative procedure."""
