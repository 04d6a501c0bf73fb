"""What of a schema would break those who ask it: for comparing with the one that was given out before.

From the root of the tree, against what another branch or tag holds (nothing printed: nothing breaks):

    git show main:schema/schema.graphql | uv run python -m tests.schema.breaking
"""

from __future__ import annotations

import sys

import graphql

from schema import built


def breaking(before: str, after: str) -> list[str]:
    """A sentence for each change from one SDL to another that could break a client."""
    old, new = graphql.build_schema(before), graphql.build_schema(after)
    return [change.description for change in graphql.find_breaking_changes(old, new)]


def dangerous(before: str, after: str) -> list[str]:
    """Changes that valid requests survive but that a client may notice, such as a new enum value."""
    old, new = graphql.build_schema(before), graphql.build_schema(after)
    return [change.description for change in graphql.find_dangerous_changes(old, new)]


if __name__ == "__main__":
    found = breaking(sys.stdin.read(), built.sdl())
    print("\n".join(found))  # noqa: T201  # its answer
    sys.exit(1 if found else 0)
