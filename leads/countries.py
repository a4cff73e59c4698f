"""Country names and codes → ISO 3166 two-letter codes."""

from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "data" / "countries.txt"


@cache
def codes():
    """`{folded name or code: code}` from the table: one country a line, code, name, other names."""
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        code, names = line.split(" ", 1)
        found[code.casefold()] = code
        found |= {fold(name): code for name in names.split("|")}
    return found


@cache
def names():
    """`{code: English name}`, for choices on screen."""
    lines = (line.split(" ", 1) for line in TABLE.read_text(encoding="utf-8").splitlines())
    return {code: rest.split("|")[0] for code, rest in lines}


def code_of(text):
    """The code for a name or code, or "" where nothing fits."""
    return codes().get(fold(text), "")


def fold(name):
    return " ".join(name.casefold().replace(".", "").replace("’", "'").split())
