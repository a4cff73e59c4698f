"""`make reset`: remove this checkout's local data after asking."""

import os
import shutil
import sys

from leadmgmt.local.processes import reap
from leadmgmt.local.servers import owner, ownership
from leadmgmt.local.state import HOME, LocalError


def main():
    if not HOME.exists():
        print(f"Nothing to remove: there is no {HOME}.")
        return 0
    try:
        with ownership("make reset"):
            if not agreed():
                print("Nothing removed.")
                return 1
            reap(HOME)
            shutil.rmtree(HOME)
    except BlockingIOError:
        print(
            f"`{owner().get('what')}` (process {owner().get('pid')}) uses the data. Stop it first.",
            file=sys.stderr,
        )
        return 1
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Removed {HOME}.")
    return 0


def agreed():
    if os.environ.get("YES") == "1":
        return True
    try:
        return (
            input(f"Remove the database and everything else in {HOME}? Type yes: ").strip().lower() == "yes"
        )
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main())
