"""C evolves: CMA-ES, and the run of a model directory."""
