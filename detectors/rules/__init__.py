"""One file for each rule, or for the few rules that share a score."""
