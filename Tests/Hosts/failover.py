"""A primary dies under load, or its host is cut off: nothing acknowledged is lost or doubled, and work resumes in time."""

import os
import pathlib
import sys
import time
import urllib.request

import hosts
import load
from books import Database, audit
from hosts import OUTSIDE, Host, Process, demand, eventually, postgres_programs, say

root = pathlib.Path(__file__).parents[2]
files = root / "Examples" / "high-availability"
binary = os.environ["RENGA_BINARY"]
CONCURRENCY = 20
# As in patroni.yml.
TTL = 20
PASSWORD = "password-of-the-proof"


class DatabaseHost(Host):
    """etcd, and Patroni with its PostgreSQL."""

    @property
    def data(self):
        return self.folder / "postgresql" / "data"

    @property
    def database(self):
        return Database(self, self.folder / "postgresql")

    def configure(self, file):
        """The example, with this host's name, passwords, and folders of its own, as all hosts here share one file system."""
        text = (files / file).read_text()
        for old, new in {
            "THIS-HOST": self.name, "ADMIN-PASSWORD": "admin", "REPLICATION-PASSWORD": "replication",
            "/var/lib/etcd/renga": self.folder / "etcd", "/var/lib/postgresql/15/renga": self.data,
            "/var/lib/postgresql/patroni.pgpass": self.folder / "postgresql" / "pgpass",
            "/var/run/postgresql": self.folder / "postgresql",
            "/usr/lib/postgresql/15/bin": postgres_programs(),
        }.items():
            text = text.replace(old, str(new))
        (self.folder / file).write_text(text)
        return str(self.folder / file)

    def start_etcd(self):
        self.etcd = self.start("etcd", ["etcd", "--config-file", self.configure("etcd.yml")], user="postgres")

    def start_patroni(self):
        self.patroni = self.start("patroni", ["patroni", self.configure("patroni.yml")], user="postgres")

    def kill_database(self):
        """Patroni first, so that it does nothing about it."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        processes = [pid for top in (self.patroni.popen.pid, postmaster) for pid in hosts.descendants(top)]
        for pid in processes:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        self.patroni.popen.wait()

    def start_renga(self):
        environment = dict(
            line.split("=", 1) for line in (files / "renga.env").read_text().splitlines() if line and line[0] != "#")
        secret = self.folder / "database-password"
        secret.write_text(PASSWORD)
        environment |= {
            "RENGA_DATABASE_PASSWORD_FILE": str(secret), "ANTHROPIC_API_KEY": "simulated", "ANTHROPIC_BASE_URL": load.SIMULATOR,
            "RENGA_API_KEY": load.KEY, "RENGA_LISTEN": "0.0.0.0:8080", "RENGA_CONCURRENCY": str(CONCURRENCY),
        }
        self.renga = [self.start(command, [binary, command], **environment) for command in ("serve", "work")]


def is_now(host, role):
    """By the word of its own Patroni, which may not know of the others."""
    try:
        with urllib.request.urlopen(f"http://{host.address}:8008/{role}", timeout=3) as answer:
            return answer.status == 200
    except OSError:
        return False


def primary(databases):
    """The one that has a standby with everything; nil if there is none."""
    for host, other in (databases, databases[::-1]):
        if is_now(host, "primary") and is_now(other, "synchronous"):
            return host
    return None


def set_up(folder):
    db1, db2 = databases = [DatabaseHost(name, number, folder) for number, name in ((1, "db1"), (2, "db2"))]
    witness = DatabaseHost("witness", 3, folder)
    every = [db1, db2, witness]
    hosts.names(every, folder)
    for host in every:
        (host.folder / "postgresql").mkdir()
        hosts.run("chown", "-R", "postgres:", str(host.folder))
        host.start_etcd()
    for host in databases:
        host.start_patroni()
    leader = eventually("a primary and its synchronous standby", 120, lambda: primary(databases))
    say(f"etcd on three hosts, PostgreSQL on two; {leader.name} is primary")
    for statement in (f"CREATE ROLE renga LOGIN PASSWORD '{PASSWORD}'", "CREATE DATABASE renga OWNER renga"):
        Database(leader, leader.folder / "postgresql", "postgres").rows(statement)
    for host in databases:
        host.start_renga()
    for host in databases:
        eventually(f"renga on {host.name}", 60, lambda: load.call(f"http://{host.address}:8080/ready"))
    say("a renga server and a worker on both")
    return databases, witness


class Round:
    """One death of a primary, and what came of it."""

    def __init__(self, number, databases, witness):
        self.cuts = number % 2 == 0
        self.databases = databases
        self.witness = witness

    def run(self):
        old = self.old = eventually("a primary and its synchronous standby", 180, lambda: primary(self.databases))
        new = next(host for host in self.databases if host is not old)
        eventually("work goes on", 60, lambda: old.database.running() > 0)
        time.sleep(3)
        self.in_flight = old.database.running()
        self.at = time.time() * 1_000
        if self.cuts:
            old.cut_off([new, self.witness])
            self.watch_the_cut_off(old)
        else:
            old.kill_database()
        eventually("the standby has taken over", 90, lambda: new.database.rows("SELECT pg_is_in_recovery()") == [["f"]], pause=0.05)
        self.promoted = time.time() * 1_000
        ended = new.database.number("SELECT count(*) FROM ended")
        eventually("work resumes", 60, lambda: new.database.number("SELECT count(*) FROM ended") > ended + 20)
        self.over = time.time() * 1_000
        time.sleep(3)
        if self.cuts:
            old.rejoin()
        else:
            old.start_patroni()
        self.new = new

    def watch_the_cut_off(self, old):
        """Alone it settles nothing: what had reached the standby shows within a second, then nothing more does."""
        time.sleep(1)
        before = old.database.number("SELECT count(*) FROM ended")
        looks = 0
        while True:
            try:
                standing, settled = old.database.rows("SELECT pg_is_in_recovery(), (SELECT count(*) FROM ended)")[0]
            except hosts.Refusal:
                break
            demand(int(settled) == before, f"the primary that is cut off settled {int(settled) - before} jobs")
            if standing == "t":
                break
            looks += 1
            time.sleep(0.5)
        demand(looks > 2, "the primary that was cut off was gone at once: nothing was proved")
        self.looks = looks

    def report(self, number, ended):
        """From the death to the first job that was settled after the longest time without any."""
        times = [self.at] + [at for at in ended if self.at < at < self.over]
        _, resumed = max((after - before, after) for before, after in zip(times, times[1:]))
        seconds, promoted = (resumed - self.at) / 1_000, (self.promoted - self.at) / 1_000
        how = f"cut off, and settled nothing in {self.looks} looks" if self.cuts else "killed with its Patroni"
        say(f"failover {number}: {self.old.name} {how}; {self.in_flight} calls in flight;"
            f" {self.new.name} took over after {promoted:.1f} s, work resumed after {seconds:.1f} s")
        demand(seconds <= promoted + 2, f"work resumed {seconds - promoted:.1f} s after the standby had taken over")
        # Of a host that says nothing Patroni first asks how far it is, which takes it two seconds more.
        within = TTL + (4 if self.cuts else 2)
        demand(seconds <= within, f"work resumed after {seconds:.1f} s, not within {within} s, with a ttl of {TTL} s")


def prove(folder):
    times = int(sys.argv[1])
    Process([binary, "simulate", "--listen", f"{OUTSIDE}:8090", "--latency", "400ms", "--journal-limit", "1000000"],
            folder / "simulator.log", dict(os.environ))
    databases, witness = set_up(folder)
    servers = [f"http://{host.address}:8080" for host in databases]
    feeder = load.Feeder(servers)
    feeder.start(per_second=60, threads=2)
    rounds = []
    for number in range(1, times + 1):
        rounds.append(Round(number, databases, witness))
        rounds[-1].run()
    leader = eventually("a primary and its synchronous standby", 180, lambda: primary(databases))
    feeder.stop()
    eventually("all jobs are done", 300, lambda: leader.database.unfinished() == 0)
    ended = [int(row[0]) for row in leader.database.rows("SELECT finished_at FROM ended ORDER BY 1")]
    for number, each in enumerate(rounds, 1):
        each.report(number, ended)
    for server in servers:
        load.demand_all(feeder, server, ["proof"])
    audit(leader.database, feeder, sum(each.in_flight for each in rounds))
    for host in databases:
        demand([process.stop() for process in host.renga] == [0, 0], f"renga on {host.name} did not stop in order")


hosts.main(prove, limit=180 + 120 * int(sys.argv[1]))
