"""Our own query language: what a person may type into the search box, as a tree both engines answer alike.

    summer campaign                 both words, in any inflection
    "summer campaign"               side by side, in this order
    title:hero  tag:(beach OR sea)  in one field: title, description, tag, campaign, file, creator
    kind:photo  type:image/*        exactly this kind; a media type or its family
    width:1000..2000  created:2024..2025-06   ranges, either end may be missing; days, months and years count
    whole beach OR sea · NOT sea · -sea · ( … )     AND binds closer than OR; words side by side mean AND
    broch*                          words beginning so
    colour~  colour~2               words one (two) typing errors away that begin with the same letter

Always true here:
- Parsing takes time linear in the text, never recurses deeper than MAX_DEPTH, and yields at most MAX_TERMS
  leaves.
- A text that cannot be understood raises QuerySyntaxError with a sentence and the 0-based position of the
  trouble.
- A word without letters or digits (`&`) says nothing and is left out.
"""

from storage.index.query.lexer import QuerySyntaxError
from storage.index.query.parser import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, parse
from storage.index.query.tree import And, Filter, Fuzzy, Node, Not, Or, Phrase, Prefix, Query, Scope, Word

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_TERMS",
    "And",
    "Filter",
    "Fuzzy",
    "Node",
    "Not",
    "Or",
    "Phrase",
    "Prefix",
    "Query",
    "QuerySyntaxError",
    "Scope",
    "Word",
    "parse",
]
