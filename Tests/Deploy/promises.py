"""What the files under Examples/deploy promise beside their syntax: time to stop, names that exist, workers that nothing stops."""

import pathlib
import re
import sys
import tomllib

import yaml

root = pathlib.Path(__file__).parents[2]
folder = root / "Examples" / "deploy"
offences = []


def check(holds, file, text):
    if not holds:
        offences.append(f"{file.relative_to(root)}: {text}")


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m)?", str(text)).groups()
    return int(number) * {"s": 1, "m": 60, None: 1}[unit]


# renga's default; see docs/settings.md.
def shutdown(environment):
    return seconds(environment.get("RENGA_SHUTDOWN_TIMEOUT", "30s"))


# --- Names: of settings and of commands.

documented = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", (root / "docs/settings.md").read_text()))
documented |= {f"{name}_FILE" for name in documented}
for file in (file for file in sorted(folder.rglob("*")) if file.is_file()):
    named = set(re.findall(r"\b(?:RENGA|ANTHROPIC)_[A-Z_]+\b", file.read_text()))
    check(named <= documented, file, f"docs/settings.md does not know {', '.join(sorted(named - documented))}")

commands = {"up", "serve", "work"}

# --- Kubernetes: time to stop, one pod beside a file, and the rights of a container.


def kubernetes(name):
    file = folder / "kubernetes" / name
    resources = list(yaml.safe_load_all(file.read_text()))
    settings = next((item["data"] for item in resources if item["kind"] == "ConfigMap"), {})
    workloads = [item for item in resources if item["kind"] in ("Deployment", "StatefulSet")]
    for workload in workloads:
        pod = workload["spec"]["template"]["spec"]
        container = pod["containers"][0]
        environment = settings | {item["name"]: item["value"] for item in container.get("env", [])}
        sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        name = workload["metadata"]["name"]
        check(
            pod["terminationGracePeriodSeconds"] >= shutdown(environment) + sleep + 10, file,
            f"{name} is killed before renga has stopped")
        check(len(container["args"]) == 1 and set(container["args"]) <= commands, file, f"{name} runs {container['args']}")
        security = container["securityContext"]
        check(
            pod["securityContext"]["runAsNonRoot"] and security["readOnlyRootFilesystem"]
            and not security["allowPrivilegeEscalation"] and security["capabilities"]["drop"] == ["ALL"], file,
            f"{name} has rights that it does not need")
        check("cpu" not in container["resources"]["limits"], file, f"{name} is throttled")
        for probe in ("startupProbe", "livenessProbe"):
            path = container.get(probe, {}).get("httpGet", {}).get("path", "/health")
            check(path == "/health", file, f"{name} is killed when its database is away")
        selected = workload["spec"]["selector"]["matchLabels"].items()
        check(selected <= workload["spec"]["template"]["metadata"]["labels"].items(), file, f"{name} does not select its pods")
    return file, workloads


kubernetes("postgres.yaml")
file, workloads = kubernetes("sqlite.yaml")
check([workload["kind"] for workload in workloads] == ["StatefulSet"], file, "only a StatefulSet keeps its volume")
check(workloads[0]["spec"]["replicas"] == 1, file, "a second pod would have a second database")

# --- CloudFormation: time to stop, and no order that would start a second database.


class Template(yaml.SafeLoader):
    pass


Template.add_multi_constructor("!", lambda loader, suffix, node: node.value)
file = folder / "ecs" / "renga.yaml"
resources = yaml.load(file.read_text(), Template)["Resources"]
for name, task in resources.items():
    if task["Type"] != "AWS::ECS::TaskDefinition":
        continue
    container = task["Properties"]["ContainerDefinitions"][0]
    environment = {item["Name"]: item["Value"] for item in container["Environment"]}
    check(shutdown(environment) + 10 <= container.get("StopTimeout", 30) <= 120, file, f"{name} is killed before renga has stopped")
    check(set(container["Command"]) <= commands, file, f"{name} runs {container['Command']}")
    check("RENGA_DATABASE" in environment, file, f"{name} would keep its jobs on a disk that is gone with the task")
    check(container["LogConfiguration"]["Options"]["mode"] == "non-blocking", file, f"{name} may wait for the log")

# --- Fly.io: the keys that its reference names, time to stop, and machines that nothing stops.

check_keys = {"grace_period", "interval", "method", "timeout", "path"}
concurrency = {"type", "soft_limit", "hard_limit"}
fly_keys = {
    "app": None, "primary_region": None, "kill_signal": None, "kill_timeout": None, "swap_size_mb": None,
    "build": {"image": None}, "env": "any", "processes": "any",
    "deploy": {"release_command": None, "strategy": None},
    "mounts": dict.fromkeys(
        ["source", "destination", "processes", "initial_size", "snapshot_retention", "scheduled_snapshots",
         "auto_extend_size_threshold", "auto_extend_size_increment", "auto_extend_size_limit"]),
    "http_service": {
        **dict.fromkeys(
            ["internal_port", "force_https", "auto_stop_machines", "auto_start_machines", "min_machines_running", "processes"]),
        "concurrency": dict.fromkeys(concurrency), "checks": dict.fromkeys(check_keys),
        "http_options": dict.fromkeys(["idle_timeout", "response", "h2_backend", "replay_cache"]),
    },
    "metrics": dict.fromkeys(["port", "path"]),
    "restart": dict.fromkeys(["policy", "retries", "processes"]),
    "vm": dict.fromkeys(["size", "memory", "cpu_kind", "processes"]),
}


def unknown(given, known, path=""):
    for key, value in given.items():
        if key not in known:
            yield f"{path}{key}"
        elif isinstance(known[key], dict):
            for table in value if isinstance(value, list) else [value]:
                yield from unknown(table, known[key], f"{path}{key}.")


for file in sorted((folder / "fly").glob("*.toml")):
    fly = tomllib.loads(file.read_text())
    check(not list(unknown(fly, fly_keys)), file, f"Fly.io does not know {', '.join(unknown(fly, fly_keys))}")
    check(fly["kill_signal"] == "SIGTERM", file, "renga is asked to end by SIGTERM")
    check(shutdown(fly["env"]) + 10 <= fly["kill_timeout"] <= 300, file, "renga is killed before it has stopped")
    check(set(fly["processes"].values()) <= commands, file, f"it runs {list(fly['processes'].values())}")
    service = fly["http_service"]
    check(service["auto_stop_machines"] == "off", file, "machines are stopped while jobs wait")
    check(service["min_machines_running"] >= 1, file, "no machine has to run")
    check(set(service["processes"]) <= set(fly["processes"]), file, "the service is of no process")
    check(service["concurrency"]["soft_limit"] <= service["concurrency"]["hard_limit"], file, "the soft limit is above the hard one")
    check("work" not in [fly["processes"][name] for name in service["processes"]], file, "a worker listens on no port")
    if "mounts" in fly:
        check(len(fly["processes"]) == 1, file, "machines cannot share a volume")
        check(fly["env"]["RENGA_DATABASE"].startswith(fly["mounts"][0]["destination"]), file, "the database is not on the volume")
    else:
        check("RENGA_DATABASE" not in fly["env"], file, "the address of a server has a password: it is a secret")

# --- systemd: time to stop, and a watchdog that hears of renga.

file = folder / "systemd" / "renga.service"
unit = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line and not line.startswith("#"))
check(unit["Type"] == "notify" and unit["NotifyAccess"] == "main", file, "systemd does not hear when renga is ready")
check(seconds(unit["TimeoutStopSec"]) >= 30 + 10, file, "renga is killed before it has stopped")

for offence in offences:
    print(offence, file=sys.stderr)
sys.exit(1 if offences else 0)
