"""Imports the program and loads its compiled recurrences: for the process from which the tests fork."""

from __future__ import annotations

import gc
import os

os.environ["POLARS_MAX_THREADS"] = "1"  # read when polars is imported: a thread does not survive a fork

import pytest  # noqa: F401

import commands.monitor
import commands.serve  # noqa: F401
from detectors.catalogue import RULES
from ingest.warm_up import warm_up

warm_up(RULES)
gc.collect()
gc.freeze()
