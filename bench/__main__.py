"""`python -m bench [name …] [--flag value …]`: run the named benches, or all of them, each in its own process."""

import subprocess
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
NOT_BENCHES = {"figures", "stack", "settings", "urls", "bare", "crowd", "grown_model"}


def main(argv):
    flags = next((place for place, word in enumerate(argv) if word.startswith("--")), len(argv))
    wanted, flags = argv[:flags], argv[flags:]
    names = [name for name in NAMES if name not in NOT_BENCHES]
    for name in wanted or names:
        if name not in names:
            print(f"{name}: no such bench. There are: {', '.join(names)}", file=sys.stderr)
            return 2
        if code := subprocess.call([sys.executable, "-m", f"bench.{name}", *flags]):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
