"""Hosts of a proof: network namespaces on a bridge, in which processes run, die, and are cut off.

The program runs in network, mount and process namespaces of its own: nothing of it outlives it, and nothing shows outside.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

SUBNET = "10.99.0"
# Of the program itself, which is connected to every host.
OUTSIDE = f"{SUBNET}.254"
started = time.monotonic()


def say(text):
    print(f"{time.monotonic() - started:5.0f}s  {text}", flush=True)


class Failure(Exception):
    """What was promised and does not hold."""


class Refusal(OSError):
    """A command that did not succeed."""


def demand(holds, text):
    if not holds:
        raise Failure(text)


def eventually(what, seconds, holds, pause=0.2):
    """Returns what `holds` returns once it is true; an error of it counts as not yet."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            if found := holds():
                return found
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            last = error
        time.sleep(pause)
    raise Failure(f"{what}: not after {seconds} s" + (f" ({last})" if last else ""))


def run(*words, input=None):
    done = subprocess.run(words, input=input, text=True, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise Refusal(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Process:
    """One that was started on a host; its children are in its session and end with it."""

    def __init__(self, words, log, environment):
        self.log = log
        with open(log, "ab") as sink:
            self.popen = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=environment, start_new_session=True)

    @property
    def runs(self):
        return self.popen.poll() is None

    def kill(self):
        """With all of its session, and of theirs: PostgreSQL's server makes one of its own."""
        for pid in descendants(self.popen.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()

    def stop(self, seconds=60):
        """Asks it to end; returns its status."""
        self.popen.terminate()
        return self.popen.wait(seconds)


def descendants(pid):
    """It and what it started, in this order; an orphan belongs to whoever started the one that started it."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
    found = [pid]
    for parent in found:
        found += [child for child, of in parents.items() if of == parent]
    return found


class Host:
    def __init__(self, name, number, folder):
        self.name = name
        self.address = f"{SUBNET}.{number}"
        self.folder = folder / name
        self.folder.mkdir()
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"to{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", f"to{number}", "master", "hosts", "up")
        for words in (["link", "set", "lo", "up"], ["addr", "add", f"{self.address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"]):
            run("ip", "-n", name, *words)

    def start(self, name, words, user=None, **environment):
        as_user = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        settings = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"} | environment
        return Process(["ip", "netns", "exec", self.name, *as_user, *words], self.folder / f"{name}.log", settings)

    def run(self, *words, user=None, input=None):
        as_user = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        return run("ip", "netns", "exec", self.name, *as_user, *words, input=input)

    def cut_off(self, others, refusing=False):
        """Nothing goes between them any more, without a word; or each packet is answered with a reset."""
        addresses = ", ".join(other.address for other in others)
        end = "meta l4proto tcp reject with tcp reset" if refusing else "drop"
        rules = "".join(
            f"chain {hook} {{\n type filter hook {hook} priority 0;\n ip {side} {{ {addresses} }} {end}\n}}\n"
            for hook, side in (("input", "saddr"), ("output", "daddr")))
        self.run("nft", "-f", "-", input=f"table inet cut {{\n{rules}}}\n")

    def rejoin(self):
        self.run("nft", "delete", "table", "inet", "cut")


def postgres_programs():
    """Of the newest that is installed."""
    return max(pathlib.Path("/usr/lib/postgresql").iterdir(), key=lambda folder: float(folder.name)) / "bin"


def bridge():
    """What connects hosts to each other and to this program."""
    os.makedirs("/run/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "hosts", "type", "bridge")
    run("ip", "addr", "add", f"{OUTSIDE}/24", "dev", "hosts")
    run("ip", "link", "set", "hosts", "up")


def names(hosts, folder):
    """The hosts' names, for everybody in here and nobody else."""
    file = folder / "hosts"
    file.write_text("127.0.0.1 localhost\n" + "".join(f"{host.address} {host.name}\n" for host in hosts))
    run("mount", "--bind", str(file), "/etc/hosts")


def main(prove, limit):
    """Runs the proof in a folder of its own, which stays if it fails; never longer than so many seconds."""
    folder = pathlib.Path(os.environ["PROOF_FOLDER"])

    def too_late(*_):
        raise Failure(f"not done after {limit} s")

    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(limit)
    try:
        bridge()
        prove(folder)
        say("PASS")
    except (Failure, Refusal) as failure:
        say(f"FAIL: {failure}")
        for log in sorted(folder.rglob("*.log")):
            print(f"--- {log.relative_to(folder)}", *log.read_text(errors="replace").splitlines()[-6:], sep="\n", file=sys.stderr)
        sys.exit(1)
