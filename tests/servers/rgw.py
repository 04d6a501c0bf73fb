"""A real S3 for tests: the RADOS gateway of a Ceph that keeps everything in memory, from Debian's packages.

It checks signatures and quotas, as a stand-in does not. It takes some seconds and some 370 MB: one per run
is enough, and its users create buckets of their own.
"""

import secrets
import shutil
import signal
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.servers import programs
from tests.servers.programs import ServerMissing

PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "monmaptool", "ceph")
PACKAGES = "radosgw ceph-mon ceph-osd ceph-common"
#: What the second user may keep in all: room for little, to see what a full store says.
TIGHT_QUOTA = 4 << 20

_CONFIGURATION = """
[global]
fsid = {fsid}
mon_host = v1:127.0.0.1:{mon_port}
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr2 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
run_dir = {folder}
pid_file = {folder}/$name.pid
log_file = {folder}/$name.log
mon_cluster_log_file = {folder}/cluster.log
crash_dir = {folder}
admin_socket =
osd_objectstore = memstore
memstore_device_bytes = 8589934592
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_crush_initial_weight = 1
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_osd_crush_smoke_test = false
# Alone in its cluster, the monitor need not gather proposals for a second: twelve pools wait for it.
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_data_avail_crit = 1
mon_data_avail_warn = 2
[mon.a]
mon_data = {folder}/mon
[osd.0]
osd_data = {folder}/osd
[client.rgw.a]
rgw_data = {folder}/rgw
# Without tcp_nodelay every answer waits 40 ms for an acknowledgement.
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw_dns_name = 127.0.0.1
rgw_override_bucket_index_max_shards = 1
"""


@dataclass(frozen=True, slots=True)
class Account:
    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class Rgw:
    """Where it answers, and two users: one without limits, one with `TIGHT_QUOTA` bytes in all."""

    endpoint: str
    plain: Account
    tight: Account

    def blob_url(self, bucket: str) -> str:
        """What IMPRIMATUR_BLOB_URL would say."""
        return _blob_url(self.endpoint, self.plain, bucket)

    def tight_blob_url(self, bucket: str) -> str:
        return _blob_url(self.endpoint, self.tight, bucket)


@contextmanager
def running_rgw() -> Iterator[Rgw]:
    """A gateway with keys of its own, gone with everything in it at the end.

    `ServerMissing` if its programs are not here, `ServerFailed` if they do not start.
    """
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        raise ServerMissing(
            f"No Ceph for the tests ({', '.join(missing)}): apt-get install --no-install-recommends {PACKAGES}."
        )
    with programs.persistently(_cluster) as server:
        yield server


@contextmanager
def _cluster() -> Iterator[Rgw]:
    with programs.workplace("rgw") as folder:
        port = _configure(folder)
        with _monitor(folder), _storage(folder):
            plain, tight = _account(folder, "plain"), _account(folder, "tight")
            _limit(folder, "tight")
            with _gateway(folder, port):
                yield Rgw(f"127.0.0.1:{port}", plain, tight)


def _configure(folder: Path) -> int:
    """Write ceph.conf and the first map of monitors; the gateway's port."""
    port, mon_port, fsid = programs.free_port(), programs.free_port(), str(uuid.uuid4())
    for name in ("mon", "osd", "rgw"):
        programs.run(["mkdir", name], folder)
    text = _CONFIGURATION.format(folder=folder, port=port, mon_port=mon_port, fsid=fsid)
    (folder / "ceph.conf").write_text(text)
    where = ("--addv", "a", f"[v1:127.0.0.1:{mon_port}]")
    programs.run(["monmaptool", "--create", "--fsid", fsid, *where, "monmap"], folder)
    return port


@contextmanager
def _monitor(folder: Path) -> Iterator[None]:
    command = _ceph("ceph-mon", "-i", "a")
    programs.run([*command, "--mkfs", "--monmap", "monmap"], folder)
    with _killable([*command, "-f"], folder):
        yield


@contextmanager
def _storage(folder: Path) -> Iterator[None]:
    command = _ceph("ceph-osd", "-i", "0")
    identity = str(uuid.uuid4())
    programs.run([*command, "--mkfs", "--osd-uuid", identity, "--no-mon-config"], folder)
    programs.run(_ceph("ceph", "--connect-timeout", "30", "osd", "new", identity, "0"), folder)
    # A monitor that has only just begun may tell it "wrong fsid" once.
    with programs.persistently(partial(_daemon, [*command, "-f"], folder)):
        yield


@contextmanager
def _daemon(command: list[str], folder: Path) -> Iterator[None]:
    with _killable(command, folder) as process:
        programs.wait_until(partial(_is_up, folder), process, folder / "ceph-osd.out")
        yield


def _is_up(folder: Path) -> bool:
    return "1 up" in programs.run(_ceph("ceph", "--connect-timeout", "30", "osd", "stat"), folder)


def _account(folder: Path, name: str) -> Account:
    account = Account(secrets.token_hex(10), secrets.token_urlsafe(30))
    keys = ("--access-key", account.access_key, "--secret-key", account.secret_key)
    # Every test makes a bucket of its own, and a user may have a thousand unless told that there is no bound (0).
    programs.run(_admin("user", "create", "--uid", name, "--display-name", name, "--max-buckets=0", *keys), folder)
    return account


def _limit(folder: Path, name: str) -> None:
    scope = ("--quota-scope=user", "--uid", name)
    programs.run(_admin("quota", "set", *scope, f"--max-size={TIGHT_QUOTA}"), folder)
    programs.run(_admin("quota", "enable", *scope), folder)


@contextmanager
def _gateway(folder: Path, port: int) -> Iterator[None]:
    command = _ceph("radosgw", "-n", "client.rgw.a", "-f")
    with _killable(command, folder) as process:
        programs.wait_until(partial(_listens, port), process, folder / "radosgw.out")
        yield


#: Nothing is worth a farewell: all of it lies in memory, and saying goodbye takes five seconds.
_killable = partial(programs.running, stop=signal.SIGKILL)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _ceph(program: str, *words: str) -> list[str]:
    return [program, "-c", "ceph.conf", *words]


def _admin(*words: str) -> list[str]:
    return _ceph("radosgw-admin", *words)


def _blob_url(endpoint: str, account: Account, bucket: str) -> str:
    return f"s3://{account.access_key}:{account.secret_key}@{endpoint}/{bucket}?secure=false"


if __name__ == "__main__":
    programs.by_hand(running_rgw, lambda server: f"IMPRIMATUR_BLOB_URL={server.blob_url('imprimatur')}")
