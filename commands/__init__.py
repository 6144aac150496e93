"""One module for each command of the command line, and the wiring that the commands share.

A command's module has `add_arguments(parser)`, `run(options, settings) -> int` and `EXPECTED_ERRORS`: the errors
besides `Unusable` that end the command with one line and exit code 2. `liftwatch.py` imports the requested module only,
so a module here imports only the dependencies of its own command (checked by `tests/commands/test_imports.py`).
"""
