"""What a GraphQL answer costs, in processor time of server and database: ours, Strawberry unaided, and Mercurius.

    uv run python -m bench.graphql [--assets 20000] [--rounds 15] [--on sqlite postgres] [--connections 4]
                                   [--without-peers] [--logs] [--write]

Two questions, a list of fifty assets of one tag with tags, current version and its four renditions and one asset by
its id, are asked by an administrator and by a partner who sees a fifth of them. All ways to an answer take turns in
every round, so that a busy machine is busy for each of them, and the median of the rounds counts. What counts is
processor time, the server's and that of the database's processes which serve it; the client's is not counted.

- In this process: `strawberry` (parsed, validated and executed anew by Strawberry, over our batched reads), `ordinary`
  (our execution without plans), `uncached` (plans, nothing kept of what was read), `warm`, and `written` (warm,
  asked 200 times a second while another process changes 20 assets a second).
- Over HTTP, one server process each, several connections that stay open: `http uncached`, `http warm`, `http written`
  and `mercurius`: Mercurius with graphql-jit over the same database (`bench/peers`), which looks up the token, applies
  the policy and signs the addresses as we do, but looks up no decisions on rights, which a partner's addresses stand
  under. Before anything is measured, all of them must give the same answers.

Targets are ratios to `strawberry` (in this process) and to `mercurius` (over HTTP). Nobody writes a log line unless
`--logs` says that ours and Mercurius do. `--write` keeps the figures in `bench/.cache/graphql.md`.
"""
