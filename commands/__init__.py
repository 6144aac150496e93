"""One module for each command of the command line, and the wiring that the commands share.

A command's module has `add_arguments(parser)`, `run(options, settings) -> int` and `EXPECTED_ERRORS`: what else than
`Unusable` ends the command with one line and exit code 2. `liftwatch.py` imports the one module that was asked for, so
a module here imports only what its own command needs (held by `tests/commands/test_imports.py`).
"""
