"""The table of docs/access.md, derived from the code: `uv run python -m tests.docs.access_table` prints it."""

from __future__ import annotations

from domain.permissions import ROLES, Permission

MARK = "<!-- derived from domain/permissions.py; tests compare -->"


def table() -> str:
    names = [role.name for role in ROLES]
    lines = ["| | " + " | ".join(names) + " |", "|--" * (len(names) + 1) + "|"]
    for permission in Permission:
        held = ["yes" if permission in role.permissions else "" for role in ROLES]
        lines.append(f"| `{permission.value}` | " + " | ".join(held) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())  # noqa: T201
