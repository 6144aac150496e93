"""Rules of an operator's own: a file of expressions over the columns of a table, read into rules like all others."""
