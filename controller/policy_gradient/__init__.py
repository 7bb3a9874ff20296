"""C goes on by natural policy gradient from where evolution ended."""
