"""Takes a core for 4 of every 8 milliseconds, so that what is timed meanwhile has one and a half of two.

python scripts/bench/half_a_core.py [CORE] & target/release/xtask bench W5; kill %1
"""

import os
import sys
import time

os.sched_setaffinity(0, {int(sys.argv[1]) if len(sys.argv) > 1 else 1})
while True:
    begin = time.monotonic()
    while time.monotonic() - begin < 0.004:
        pass
    time.sleep(0.004)
