"""`python -m bench [name …] [--flag value …]`: run the named benches, each in its own process; without a name all but
those that take the better part of an hour."""

import subprocess
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
NOT_BENCHES = {"figures", "stack", "settings", "urls", "bare", "crowd", "grown_model"}
LONG = {"hostile", "oracle"}


def main(argv):
    flags = next((place for place, word in enumerate(argv) if word.startswith("--")), len(argv))
    wanted, flags = argv[:flags], argv[flags:]
    names = [name for name in NAMES if name not in NOT_BENCHES]
    for name in wanted or [name for name in names if name not in LONG]:
        if name not in names:
            print(f"{name}: no such bench. There are: {', '.join(names)}", file=sys.stderr)
            return 2
        if code := subprocess.call([sys.executable, "-m", f"bench.{name}", *flags]):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
