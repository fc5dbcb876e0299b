"""The type of a page's pixels. By itself, as it takes numpy, which a text PDF does without."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
