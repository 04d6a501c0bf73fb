"""Plans and conditions as tantivy's queries.

Always true here:
- Whatever only filters adds nothing to a score.
- A query made here never finds the document that carries the checkpoint.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from tantivy import FieldType, Occur, Query

from storage.index import analyser, conditions, facts, nearest, ordering, plan
from storage.index.conditions import (
    All,
    Among,
    AnyOf,
    Between,
    Condition,
    Deliverable,
    HasTag,
    Is,
    Not,
    OneOf,
    StartsWith,
)
from storage.index.contract import Access, Door
from storage.index.contract import Term as Word
from storage.index.plan import Beginning, Every, Near, Plan, Sequence, Some, Step, Term, Where, Without
from storage.index.tantivy_index import schema

Clause = tuple[Any, Any]
_MOST: Final = 2**62


class Asking:
    """Makes queries for one index at one moment: some need its vocabulary."""

    def __init__(self, made: Any, searcher: Any) -> None:
        self._schema = made
        self._searcher = searcher

    def allowed(self, access: Access, condition: Condition | None) -> list[Clause]:
        """What every document found must meet, as clauses; `whole` keeps the checkpoint out."""
        clauses = [] if access is None else self._let_in(access)
        if condition is not None:
            parts = condition.parts if isinstance(condition, All) else (condition,)
            clauses += [(Occur.Must, _silent(self._condition(part))) for part in parts]
        return clauses

    def checkpoint(self) -> Any:
        return Query.term_query(self._schema, "role", schema.CHECKPOINT, "basic")

    def visible(self, allowed: list[Clause]) -> Any:
        """Every document a viewer sees."""
        return self.whole(plan.NOTHING, allowed)

    def whole(self, planned: Plan, allowed: list[Clause]) -> Any:
        """The plan's documents among those allowed. Left bare where it can be: the engine counts a bare term unread."""
        clauses = list(allowed)
        if planned.root is None:
            clauses.append((Occur.Must, _silent(Query.all_query())))
        else:
            clauses.append((Occur.Must, self.step(planned.root)))
        if not plan.needs_words(planned.root):
            clauses.append((Occur.MustNot, self.checkpoint()))
        clauses += self._exact(planned)
        return clauses[0][1] if len(clauses) == 1 else Query.boolean_query(clauses)

    def step(self, step: Step) -> Any:  # noqa: PLR0911 - one line for each kind of step
        match step:
            case Every(parts, welcome):
                return self._every(parts, welcome)
            case Some(parts):
                return Query.boolean_query([(Occur.Should, self.step(part)) for part in parts])
            case Without():
                return self._every((step,), ())
            case Where(condition):
                return _silent(self._condition(condition))
            case Term(stem, _, field):
                return Query.term_query(self._schema, *_place("stem", "scoped", field, stem), "freq")
            case Sequence(stems, field):
                name, _ = _place("stem", "scoped", field, "")
                return Query.phrase_query(self._schema, name, [_place("", "", field, stem)[1] for stem in stems])
            case Beginning(prefix, field):
                # However many words begin so, the engine counts them like one rare word: each hit scores 1.
                name, term = _place("word", "scoped_word", field, prefix)
                return Query.regex_query(self._schema, name, f"{_literal(term)}.*")
            case Near():
                return self._near(step)

    def between(self, field: str, low: int, high: int) -> Any:
        """Both ends included."""
        return _silent(Query.range_query(self._schema, field, FieldType.Integer, low, high))

    def _let_in(self, doors: tuple[Door, ...]) -> list[Clause]:
        """What one of the doors asks; a single one's questions stand among the others, which is cheaper."""
        asked = [self._door(door) for door in doors]
        if len(asked) == 1:
            return asked[0]
        if not all(asked):
            return []
        some = [(Occur.Should, Query.boolean_query(_rooted(clauses))) for clauses in asked]
        return [(Occur.Must, _silent(Query.boolean_query(some) if some else Query.empty_query()))]

    def _door(self, door: Door) -> list[Clause]:
        clauses = [(Occur.Must, _silent(self._carrying(group))) for group in door.all_of]
        shut = {term for term in door.none_of if isinstance(term, int) or self._searcher.doc_freq("access", term)}
        return [*clauses, (Occur.MustNot, self._carrying(shut))] if shut else clauses

    def _carrying(self, terms: Collection[Word]) -> Any:
        ids = [term for term in terms if isinstance(term, int)]
        words = self._any_term("access", [term for term in terms if isinstance(term, str)])
        return Query.boolean_query([(Occur.Should, words), (Occur.Should, self._any_term("id", ids))]) if ids else words

    def _exact(self, planned: Plan) -> list[Clause]:
        """The assets called exactly so score higher; mostly there are none, and then nothing is asked."""
        clauses = []
        if planned.exact is not None:
            for field, bonus in (("exact_title", plan.TITLE_BONUS), ("exact_name", plan.NAME_BONUS)):
                if self._searcher.doc_freq(field, planned.exact):
                    same = Query.term_query(self._schema, field, planned.exact, "basic")
                    clauses.append((Occur.Should, Query.const_score_query(same, bonus)))
        return clauses

    def _every(self, parts: Iterable[Step], welcome: Iterable[Step]) -> Any:
        clauses = []
        for part in parts:
            if isinstance(part, Without):
                clauses.append((Occur.MustNot, self.step(part.part)))
            else:
                clauses.append((Occur.Must, self.step(part)))
        if all(occur == Occur.MustNot for occur, _ in clauses):
            clauses.append((Occur.Must, _silent(Query.all_query())))
        clauses += [(Occur.Should, self.step(part)) for part in welcome]
        return Query.boolean_query(clauses)

    def _near(self, step: Near) -> Any:
        name, first = _place("word", "scoped_word", step.field, step.surface[:1])
        terms = [term for term, _ in self._searcher.terms_with_prefix(name, first)]
        mark = len(first) - 1
        near = nearest.within([term[mark:] for term in terms], step.surface, step.edits)
        return Query.const_score_query(self._any_term(name, [terms[at] for at, _ in near]), 1.0)

    def _condition(self, condition: Condition) -> Any:  # noqa: PLR0911 - one for each kind of condition
        match condition:
            case All(parts):
                every = [(Occur.Must, self._condition(part)) for part in parts]
                return Query.boolean_query(every) if every else Query.all_query()
            case AnyOf(parts):
                some = [(Occur.Should, self._condition(part)) for part in parts]
                return Query.boolean_query(some) if some else Query.empty_query()
            case Not(part):
                return Query.boolean_query([(Occur.Must, Query.all_query()), (Occur.MustNot, self._condition(part))])
            case Is(field, value):
                return self._any_term(field, [value])
            case OneOf(field, values):
                return self._any_term(field, values)
            case Between():
                return self._range(condition)
            case HasTag(tag_ids):
                return self._any_term("tag", tag_ids)
            case StartsWith(field, prefix):
                return self._any_term(field, [term for term, _ in self._searcher.terms_with_prefix(field, prefix)])
            case Among() | Deliverable():
                return self._any_term("id", conditions.ids_of(condition))
            case _:
                return self._any_term("fact", [analyser.digest(fact) for fact in facts.asked(condition)])

    def _any_term(self, field: str, values: Iterable[Any]) -> Any:
        terms = [
            value if isinstance(value, str) else ordering.number(value) for value in values if value != schema.NO_WORD
        ]
        if not terms:
            return Query.empty_query()
        if len(terms) == 1:
            return Query.term_query(self._schema, field, terms[0], "basic")
        return Query.term_set_query(self._schema, field, terms)

    def _range(self, condition: Between) -> Any:
        low = ordering.MISSING + 1 if condition.low is None else ordering.number(condition.low)
        high = _MOST if condition.high is None else ordering.number(condition.high)
        if condition.field in conditions.INSTANTS and condition.high is not None:
            high -= 1
        if low > high:
            return Query.empty_query()
        return Query.range_query(self._schema, condition.field, FieldType.Integer, low, high)


def _place(plain: str, scoped: str, field: int | None, term: str) -> tuple[str, str]:
    """The field to look in and the term to look for."""
    return (plain, term) if field is None else (scoped, schema.scoped(field, term))


def _literal(term: str) -> str:
    return "".join(character if character.isalnum() else f"\\u{{{ord(character):x}}}" for character in term)


def _rooted(clauses: list[Clause]) -> list[Clause]:
    """With something to find: refusing alone finds nothing."""
    found = any(occur == Occur.Must for occur, _ in clauses)
    return clauses if found else [(Occur.Must, Query.all_query()), *clauses]


def _silent(query: Any) -> Any:
    return Query.const_score_query(query, 0.0)
