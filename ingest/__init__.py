"""The monitor process: carries readings in, remembers them, judges them, announces."""
