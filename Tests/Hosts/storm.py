"""Processes, the database and the network fail together, on two hosts: nothing is lost, settled twice, or over budget."""

import os
import random
import signal
import sys
import time

import hosts
import load
from books import Database, audit
from hosts import OUTSIDE, Host, Process, demand, eventually, postgres_programs, say

binary = os.environ["RENGA_BINARY"]
CONCURRENCY = 10
LEASE = 10
PASSWORD = "password-of-the-proof"
# One job in so many is in a queue whose budget pays for less than all of it.
CAPPED = 20


class Server(Host):
    """PostgreSQL alone, made durable."""

    PORT = 5432

    def __init__(self, folder):
        super().__init__("database", 3, folder)
        self.data = self.folder / "data"
        self.programs = postgres_programs()
        hosts.run("chown", "postgres:", str(self.folder))
        self.control("initdb", "-U", "postgres", "-A", "peer", "--auth-host", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--data-checksums")
        with open(self.data / "pg_hba.conf", "a") as file:
            file.write("host all all all scram-sha-256\n")
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(f"listen_addresses = '*'\nunix_socket_directories = '{self.folder}'\nmax_connections = 200\n")

    def control(self, program, *words):
        return self.run(str(self.programs / program), "-D", str(self.data), *words, user="postgres")

    def up(self):
        self.process = self.start("postgresql", [str(self.programs / "postgres"), "-D", str(self.data)], user="postgres")
        eventually("the database answers", 120, lambda: self.database("postgres").number("SELECT 1"), pause=0.05)

    def database(self, name="renga"):
        return Database(self, self.folder, name)


class Fleet:
    """Three servers and eight workers, restarted as a service manager would."""

    def __init__(self, first, second, server):
        self.places = [("serve", first, 8080), ("serve", second, 8080), ("serve", second, 8081)]
        self.places += [("work", host, number) for host in (first, second) for number in range(4)]
        self.server = server
        self.running = {}
        self.ended = 0
        for place in self.places:
            self.start(place)

    def start(self, place):
        command, host, number = place
        environment = {
            "RENGA_DATABASE": f"postgres://renga@{self.server.address}/renga", "RENGA_DATABASE_PASSWORD": PASSWORD,
            "ANTHROPIC_API_KEY": "simulated", "ANTHROPIC_BASE_URL": load.SIMULATOR, "RENGA_API_KEY": load.KEY,
            "RENGA_CONCURRENCY": str(CONCURRENCY), "RENGA_LEASE": f"{LEASE}s",
        }
        if command == "serve":
            environment["RENGA_LISTEN"] = f"0.0.0.0:{number}"
        self.running[place] = host.start(f"{command}-{number}", [binary, command], **environment)

    @property
    def servers(self):
        return [f"http://{host.address}:{port}" for command, host, port in self.places if command == "serve"]

    def kill(self, place):
        """Returns its process's number."""
        self.running[place].kill()
        return self.running[place].popen.pid

    def workers_of(self, machine):
        return [process.popen.pid for (command, host, _), process in self.running.items() if host is machine and command == "work"]

    def restart_dead(self):
        for place, process in self.running.items():
            if not process.runs:
                self.ended += process.popen.returncode != -signal.SIGKILL
                self.start(place)


class Storm:
    def __init__(self, fleet, server, machines, chance):
        self.fleet, self.server, self.machines, self.chance = fleet, server, machines, chance
        self.toll = {}
        # Calls that may have to be made again.
        self.in_flight = 0
        self.longest = 0.0

    def strike(self, kind):
        self.toll[kind] = self.toll.get(kind, 0) + 1
        getattr(self, kind.replace(" ", "_"))()
        eventually("the database answers", 120, lambda: self.server.database().number("SELECT 1"), pause=0.05)

    def kill_worker(self):
        place = self.chance.choice([place for place in self.fleet.places if place[0] == "work"])
        self.in_flight += self.server.database().in_flight([self.fleet.kill(place)])

    def kill_server(self):
        self.fleet.kill(self.chance.choice([place for place in self.fleet.places if place[0] == "serve"]))

    def stop_database_at_once(self):
        self.in_flight += self.server.database().running()
        self.server.control("pg_ctl", "-m", "immediate", "stop")
        self.server.process.popen.wait()
        time.sleep(self.chance.uniform(0, 3))
        self.server.up()

    def kill_backend(self):
        """As the kernel does when memory is short: the server then ends all of its sessions and recovers."""
        self.in_flight += self.server.database().running()
        pids = self.server.database().rows("SELECT pid FROM pg_stat_activity WHERE usename = 'renga'")
        if pids:
            os.kill(int(self.chance.choice(pids)[0]), signal.SIGKILL)

    def end_sessions(self):
        self.in_flight += self.server.database().running()
        self.server.database().rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'renga' AND random() < 0.5")

    def cut_connections(self):
        """Each packet is answered with a reset."""
        self.in_flight += self.server.database().running()
        machine = self.chance.choice(self.machines)
        machine.cut_off([self.server], refusing=True)
        time.sleep(self.chance.uniform(0.5, 3))
        machine.rejoin()

    def cut_host_off(self):
        """Without a word, for a minute; its workers reach the provider all the while."""
        machine = self.chance.choice(self.machines)
        machine.cut_off([self.server])
        self.in_flight += self.server.database().in_flight(self.fleet.workers_of(machine))
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.fleet.restart_dead()
            time.sleep(0.5)
        machine.rejoin()


def kinds(jobs, chance):
    """How often each thing happens: a host is cut off at least once, and the rest grows with the jobs."""
    often = max(2, jobs // 2_500)
    strikes = ["kill worker"] * (often * 3) + ["kill server"] * often
    for kind in ("stop database at once", "kill backend", "end sessions", "cut connections"):
        strikes += [kind] * often
    strikes += ["cut host off"] * max(1, jobs // 20_000)
    chance.shuffle(strikes)
    return strikes


def set_up(folder):
    first, second = machines = [Host(name, number, folder) for number, name in ((1, "first"), (2, "second"))]
    server = Server(folder)
    server.up()
    for statement in (f"CREATE ROLE renga LOGIN PASSWORD '{PASSWORD}'", "CREATE DATABASE renga OWNER renga"):
        server.database("postgres").rows(statement)
    fleet = Fleet(first, second, server)
    for url in fleet.servers:
        eventually(f"{url} is ready", 120, lambda url=url: load.call(f"{url}/ready"))
    say("three servers and eight workers on two hosts, the database on a third")
    return machines, server, fleet


def capped(server):
    return next(budget for budget in load.budgets(server) if budget["name"] == "cap")


def demand_within(server):
    """By renga's word and by the provider's bill."""
    budget = capped(server)
    held = sum(float(budget[field]) for field in ("settled_usd", "reserved_usd", "unconfirmed_cost_usd"))
    billed = sum(
        entry["cost_nanodollars"] for entry in load.journal() if entry["caller"] and int(entry["caller"].split("-")[1]) % CAPPED == 0) / 1e9
    limit = float(budget["limit_usd"])
    demand(held <= limit and billed <= limit, f"a budget of {limit} holds {held}, and {billed} were billed")
    say(f"of a budget of ${limit:.6f} the provider billed ${billed:.6f}; renga holds ${held:.6f}")
    return limit


def prove(folder):
    jobs = int(sys.argv[1])
    seed = int(os.environ.get("RENGA_SEED") or random.randrange(1 << 32))
    chance = random.Random(seed)
    say(f"RENGA_SEED={seed}")
    Process([binary, "simulate", "--listen", f"{OUTSIDE}:8090", "--latency", "250ms", "--journal-limit", "1000000"],
            folder / "simulator.log", dict(os.environ))
    machines, server, fleet = set_up(folder)
    # Half of what these jobs will cost, by what the simulator asks for such a job.
    load.state_budget(fleet.servers[0], "cap", jobs / CAPPED * 0.00029 / 2, "queue:capped")
    feeder = load.Feeder(fleet.servers, queues=lambda number: "capped" if number % CAPPED == 0 else "proof")
    feeder.start(per_second=max(100, jobs / 100), count=jobs, threads=3)
    storm = Storm(fleet, server, machines, chance)
    strikes = kinds(jobs, chance)
    for number, kind in enumerate(strikes):
        # Strikes are spread over the jobs that no cap holds back.
        due = (jobs - jobs // CAPPED) * number // (len(strikes) + 1)
        eventually("work goes on", 300, lambda: advance(fleet, server, due))
        storm.strike(kind)
        time.sleep(chance.uniform(0.2, 2))
        fleet.restart_dead()
    feeder.finish()
    eventually("all jobs without a cap are done", 900, lambda: advance(fleet, server) and server.database().unfinished("proof") == 0)
    eventually("no call is under way", 120, lambda: advance(fleet, server) and server.database().running() == 0)
    demand(server.database().unfinished("capped") > 0, "the cap held nothing back: nothing was proved")
    say("struck: " + ", ".join(f"{kind} {count}" for kind, count in sorted(storm.toll.items())) + f"; {fleet.ended} ended by themselves")
    limit = demand_within(fleet.servers[0])
    load.state_budget(fleet.servers[0], "cap", limit * 20, "queue:capped")
    eventually("all jobs are done", 300, lambda: advance(fleet, server) and server.database().unfinished() == 0)
    for url in fleet.servers:
        load.demand_all(feeder, url, ["proof", "capped"])
    audit(server.database(), feeder, storm.in_flight)
    left = {place: process.stop() for place, process in fleet.running.items()}
    demand(set(left.values()) == {0}, f"not all stopped in order: {left}")


def advance(fleet, server, due=0):
    """Whether so many jobs have ended."""
    fleet.restart_dead()
    return server.database().number("SELECT count(*) FROM ended") >= due


hosts.main(prove, limit=600 + int(sys.argv[1]) // 20)
