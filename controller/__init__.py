"""C acts: a linear policy on what V sees and M remembers, found by evolution."""
