"""What the database says when all is done, beside what the provider saw."""

from collections import Counter

from hosts import demand, say
from load import journal, simulator_stats


class Database:
    """Questions to a server, asked on its own host."""

    def __init__(self, host, socket, name="renga", port=5432):
        self.host, self.socket, self.name, self.port = host, socket, name, port

    def rows(self, question):
        words = ["/usr/bin/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket), "-p", str(self.port), "-d", self.name]
        text = self.host.run(*words, "-c", question, user="postgres")
        return [line.split("|") for line in text.splitlines()]

    def number(self, question):
        return int(self.rows(question)[0][0])

    def unfinished(self, queue=None):
        where = f"JOIN job ON job.id = job_id JOIN queue ON queue.id = queue_id WHERE queue.name = '{queue}'" if queue else ""
        return self.number(f"SELECT (SELECT count(*) FROM waiting {where}) + (SELECT count(*) FROM running {where})")

    def in_flight(self, processes):
        """Open attempts of workers that are dead, or cannot reach it."""
        return self.number(
            "SELECT count(*) FROM flight JOIN worker ON worker.id = worker_id"
            f" WHERE process_id IN ({', '.join(map(str, processes))})")

    def running(self):
        return self.number("SELECT count(*) FROM running")


def audit(database, feeder, in_flight):
    """Nothing lost, nothing settled twice, no more repeated than was in flight, and each call and each cent in the books."""
    names = {row[0] for row in database.rows("SELECT custom_id FROM job")}
    jobs = database.number("SELECT count(*) FROM job")
    succeeded = database.number("SELECT count(*) FROM ended WHERE state = 'succeeded'")
    lost = feeder.acknowledged.keys() - names
    demand(not lost, f"{len(lost)} acknowledged jobs are not in the database")
    demand(jobs == len(names) == succeeded, f"{jobs} jobs of {len(names)} names, {succeeded} succeeded")
    # A late answer goes into the cache, and ends its job from there.
    twice = database.number(
        "SELECT count(*) FROM ended WHERE (SELECT count(*) FROM attempt WHERE attempt.job_id = ended.job_id"
        " AND verdict = 'succeeded') <> CASE WHEN cached THEN 0 ELSE 1 END")
    demand(twice == 0, f"{twice} jobs were not settled exactly once")
    unbooked = database.number(
        "SELECT count(*) FROM attempt WHERE verdict <> 'handed_back' AND cost = 0 AND unconfirmed_cost = 0")
    demand(unbooked == 0, f"{unbooked} calls are neither paid nor unconfirmed")

    attempts = {name: int(count) for name, count in database.rows(
        "SELECT custom_id, count(*) FROM attempt JOIN job ON job.id = job_id WHERE verdict <> 'handed_back' GROUP BY 1")}
    calls = Counter(entry["caller"] for entry in journal() if entry["endpoint"] == "messages")
    hidden = [name for name, count in calls.items() if count > attempts.get(name, 0)]
    demand(not hidden, f"{len(hidden)} jobs were called more often than their attempts say, such as {hidden[:1]}")
    made = sum(calls.values())
    demand(made >= jobs, f"the simulator's log has {made} calls for {jobs} jobs")
    demand(made - jobs <= in_flight, f"{made - jobs} calls beyond the jobs, {in_flight} were in flight")

    booked, cost, unconfirmed = map(int, database.rows("SELECT sum(calls), sum(cost), sum(unconfirmed_cost) FROM spend")[0])
    billed = simulator_stats()["cost_nanodollars"]
    demand(made <= booked, f"{made} calls were made, {booked} are in the books")
    demand(cost <= billed <= cost + unconfirmed, f"{billed} were billed, {cost} and maybe {unconfirmed} are in the books")
    say(f"{jobs} jobs, each acknowledged one is there, each settled once; clients repeated {feeder.refusals} requests")
    say(f"{made} calls in the simulator's log, {sum(attempts.values())} attempts in the books, {made - jobs} made again,"
        f" {in_flight} were in flight")
    say(f"billed {billed} nanodollars; in the books {cost}, and {unconfirmed} unconfirmed")
