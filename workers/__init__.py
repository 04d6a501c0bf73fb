"""What happens when nobody is waiting: renditions, metadata, the search index, upkeep."""

import os

# A worker forks, and only a process with one thread may: numpy would start one per core for algebra nobody asks for.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
