"""What the database itself refuses of fields, texts, templates and operations, whoever asks."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from tests.asking import Client
from tests.assets.acts import created, picture
from tests.fields.brand import every_field, vocabulary

FIELD = (
    "INSERT INTO asset_field"
    " (asset_id, field_id, locale, place, type, vocabulary_id, word, text, number, term_id, target_id) VALUES "
)
TEXT = "INSERT INTO asset_text (asset_id, purpose, locale, text) VALUES "
#: Fields by number: 1 note, 2 caption, 3 price, 4 cleared, 5 shot, 6 season, 7 seasons, 8 original.
WRONG = [
    FIELD + "(1, 1, '', 0, 'NUMBER', NULL, '=1', NULL, 1, NULL, NULL)",
    FIELD + "(1, 3, '', 0, 'NUMBER', NULL, '=1', NULL, NULL, NULL, NULL)",
    FIELD + "(1, 3, '', 0, 'NUMBER', NULL, '=1', 'one', 1, NULL, NULL)",
    FIELD + "(1, 3, '', 1, 'NUMBER', NULL, '=1', NULL, 1, NULL, NULL)",
    FIELD + "(1, 3, 'de', 0, 'NUMBER', NULL, '=1', NULL, 1, NULL, NULL)",
    FIELD + "(1, 6, '', 0, 'CHOICE', 1, '=4', NULL, NULL, 4, NULL)",  # a word of another vocabulary
    FIELD + "(1, 6, '', 0, 'CHOICE', 2, '=4', NULL, NULL, 4, NULL)",  # another vocabulary than the field's
    FIELD + "(1, 6, '', 0, 'CHOICE', NULL, '=1', NULL, NULL, 1, NULL)",
    FIELD + "(1, 6, '', 0, 'CHOICE', 1, '=99', NULL, NULL, 99, NULL)",
    FIELD + "(1, 8, '', 0, 'ASSET', NULL, '=1', NULL, NULL, NULL, 1)",  # itself
    FIELD + "(1, 8, '', 0, 'ASSET', NULL, '=99', NULL, NULL, NULL, 99)",
    FIELD + "(99, 1, '', 0, 'TEXT', NULL, '=x', 'x', NULL, NULL, NULL)",
    TEXT + "(1, 'TITLE', '', '')",
    TEXT + "(1, 'ALT', '', 'words')",
    TEXT + "(1, 'ALT', 'de', '')",
    TEXT + "(1, 'OTHER', 'de', 'words')",
    "UPDATE custom_field SET type = 'NUMBER' WHERE id = 1",
    "UPDATE custom_field SET vocabulary_id = 2 WHERE id = 6",
    "UPDATE custom_field SET vocabulary_id = NULL WHERE id = 6",
    "UPDATE custom_field SET localised = NOT localised WHERE id = 3",
    "UPDATE custom_field SET minimum = 5, maximum = 4 WHERE id = 3",
    "DELETE FROM vocabulary_term WHERE id = 1",
]
RIGHT = [
    FIELD + "(1, 7, '', 0, 'CHOICES', 1, '=1', NULL, NULL, 1, NULL)",
    FIELD + "(1, 7, '', 1, 'CHOICES', 1, '=2', NULL, NULL, 2, NULL)",
    FIELD + "(1, 6, '', 0, 'CHOICE', 1, '=1', NULL, NULL, 1, NULL)",
    FIELD + "(1, 1, '', 0, 'TEXT', NULL, '=x', 'x', NULL, NULL, NULL)",
    TEXT + "(1, 'ALT', '', '')",
    TEXT + "(1, 'TITLE', 'de', 'Wort')",
]
AGAIN = [
    FIELD + "(1, 7, '', 2, 'CHOICES', 1, '=1', NULL, NULL, 1, NULL)",
    FIELD + "(1, 6, '', 0, 'CHOICE', 1, '=2', NULL, NULL, 2, NULL)",
]


@pytest.fixture
def furnished(hub: Hub, client: Client) -> Hub:
    every_field(client)
    vocabulary(client, "Others", "north")
    created(client, picture(1))
    for statement in RIGHT:
        with hub.database.writing() as session:
            session.execute(sa.text(statement))
    return hub


def test_a_value_fits_its_field_or_is_not_there(furnished: Hub) -> None:
    for statement in (*WRONG, *AGAIN):
        with pytest.raises(sa.exc.DBAPIError), furnished.database.writing() as session:
            session.execute(sa.text(statement))
