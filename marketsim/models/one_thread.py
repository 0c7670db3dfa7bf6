"""Code that only one thread of a process runs at a time.

A user's code expects no other thread, and where it prints is the whole process's; networks keep state and share the
memory of a device.
"""

from __future__ import annotations

import threading

ONE_THREAD = threading.RLock()
