"""Real servers for tests: PostgreSQL, and the S3 of a small Ceph, on loopback, for as long as they are needed.

Each can also be started by hand, as in ``python -m tests.servers.postgres``.
"""
