"""M as a world: an environment whose next observation M dreams."""
