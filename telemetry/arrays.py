"""Type aliases for the NumPy arrays that hold columns: every module takes them from here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Bools = NDArray[np.bool_]
Index = NDArray[np.intp]

Memory = NDArray[np.void]
"""What a recurrence remembers: a structured array with one record for each lift."""
