"""The fields of a tantivy index, and a document as it takes it.

Always true here:
- `stem` holds every stem at its position and is what words are looked up in; `scoped` holds the same stems
  marked with their field. GAP stands between texts and around joined names, so that no phrase runs across.
- `word` and `scoped_word` hold each surface once.
- `fact` holds what is said in fields of the brand's own, as digests; `counted_fact` those that facets count.
- Every number is present; a missing one is ordering.MISSING. Instants are microseconds.
- Every coded word is present too; NO_WORD stands for a missing one, and no question can name it.
- One document is no asset: it carries the checkpoint, committed with everything else, and its role.
"""

from typing import Any, Final

import tantivy

from storage.index import analyser, facts, ordering, texts
from storage.index.contract import Document
from storage.index.texts import AnalysedText

VERSION: Final = "3"
GAP: Final = "\0"
NO_WORD: Final = "\0"
CHECKPOINT: Final = "checkpoint"
#: Numbers that are looked up, sorted or filtered by.
INDEXED: Final = ("id", "org_id", "width", "height", "byte_size", "created_at", "updated_at", "captured_at", "year")
#: Numbers that are only sorted by or read.
READ: Final = ("revision", *ordering.TITLE_COLUMNS)
#: Words taken whole.
CODED: Final = ("kind", "lifecycle", "media_type")


def build() -> Any:
    builder = tantivy.SchemaBuilder()
    for name in ("stem", "scoped"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in ("word", "scoped_word"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in ("access", "title", "tag_name"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in CODED:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    for name in INDEXED:
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in READ:
        builder.add_integer_field(name, fast=True)
    builder.add_integer_field("tag", indexed=True, fast=True)
    builder.add_integer_field("fact", indexed=True)
    builder.add_integer_field("counted_fact", fast=True)
    builder.add_integer_field("exact_title", indexed=True)
    builder.add_integer_field("exact_name", indexed=True)
    builder.add_text_field("role", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("seq", stored=True)
    builder.add_bytes_field("texts", stored=True)
    return builder.build()


def document(source: Document) -> Any:
    """The document as tantivy takes it."""
    found = texts.of(source)
    made = tantivy.Document()
    analysed = texts.analysed(found)
    _add_texts(made, analysed)
    made.add_bytes("texts", texts.packed(found))
    made.add_text("title", ordering.title_key(source.title))
    for term in source.access:
        made.add_text("access", term)
    for tag in {tag.id: tag for tag in source.tags}.values():
        made.add_integer("tag", tag.id)
        made.add_text("tag_name", analyser.fold(tag.name))
    _add_attributes(made, source)
    for digest in texts.fact_digests(source.facts):
        made.add_integer("fact", digest)
    for digest in texts.fact_digests(frozenset(fact for fact in source.facts if facts.COUNTED in fact)):
        made.add_integer("counted_fact", digest)
    made.add_integer("exact_title", texts.title_digest(analysed))
    for digest in texts.name_digests(analysed):
        made.add_integer("exact_name", digest)
    return made


def checkpoint(seq: int) -> Any:
    """Numbers and coded words are here too: a column that one document lacks is read more slowly for all of them."""
    made = tantivy.Document()
    for name in CODED:
        made.add_text(name, NO_WORD)
    for name in (*INDEXED, *READ):
        made.add_integer(name, 0)
    made.add_text("role", CHECKPOINT)
    made.add_integer("seq", seq)
    return made


def scoped(field: int, term: str) -> str:
    return f"{field}\x1f{term}"


def _add_texts(made: Any, analysed: list[AnalysedText]) -> None:
    stems: list[str] = []
    scoped_stems: list[str] = []
    words: set[str] = set()
    scoped_words: set[str] = set()
    for field, _, tokens, joined in analysed:
        mark = scoped(field, "")
        found = [token.stem for token in tokens]
        for token in joined:
            found += [GAP, token.stem]
        stems += [*found, GAP]
        scoped_stems += [mark + stem for stem in found] + [GAP]
        surfaces = [token.surface for token in (*tokens, *joined)]
        words.update(surfaces)
        scoped_words.update(mark + surface for surface in surfaces)
    for name, terms in (("stem", stems), ("scoped", scoped_stems), ("word", words), ("scoped_word", scoped_words)):
        made.add_text(name, " ".join(terms))


def _add_attributes(made: Any, source: Document) -> None:
    for name, word in zip(CODED, (source.kind, source.lifecycle, source.media_type), strict=True):
        made.add_text(name, NO_WORD if word is None else word)
    for name, value in ordering.attributes(source).items():
        made.add_integer(name, value)
