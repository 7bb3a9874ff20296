"""A trained agent as files that a page in a browser runs."""
