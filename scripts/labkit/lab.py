"""The lab as a whole: up, down, and what may be done to its parts in between."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

from . import files, network
from .control import Control
from .layout import AGENT_LOCKS, BALANCER, BUILD, CLIENT, FABRIC, LOCK, LOGS, MAX_PER_ROLE, RUN, Node, backends, run_in
from .processes import Process, ProcessError, recorded, send, wait_until_ready, write_at_once

STATE = RUN / "state.json"
HEARTBEAT_KEY_FILE = RUN / "heartbeat_key"
DEFAULT_HEARTBEAT_MS = 50  # the agent's own
UP_DEADLINE_S = 15.0
PROGRAMS = ("warmswap-dataplane", "warmswap-controlplane", "warmswapctl", "warmswap-agent")
PLANES = ("dataplane", "controlplane")


class LabError(Exception):
    """One sentence for the user."""


# What goes wrong in a way the user should read about in one sentence.
ERRORS = (LabError, network.NetworkError, ProcessError)


@contextlib.contextmanager
def exclusive():
    """Only one command at a time changes the lab. The lock is a name that vanishes with its process, not a file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lock:
        try:
            lock.bind(LOCK)
        except OSError:
            raise LabError("another scripts/lab command is changing the lab: wait for it, or end it") from None
        yield


class Lab:
    """A lab that is up."""

    def __init__(self, state: dict):
        self.state = state
        self.nodes = [CLIENT, BALANCER, *backends(state["hot"], state["warm"], state["spare"])]
        self.config = files.read_config(Path(state["config"]))

    @property
    def backends(self) -> list[Node]:
        return [node for node in self.nodes if node.is_backend]

    def node(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(f"the lab has no node {name}: it has {', '.join(node.name for node in self.nodes)}")

    def process(self, name: str) -> Process:
        """`dataplane`, `controlplane`, `nginx-NODE` or `agent-NODE`."""
        if name in PLANES:
            program = str(BUILD / f"warmswap-{name}")
            command = [program, "--config", str(self.config.path)]
            return Process(name, BALANCER.namespace, command, ready="ready:")
        kind, _, node_name = name.partition("-")
        node = self.node(node_name)
        if kind == "nginx":
            command = ["nginx", "-e", "stderr", "-p", str(node.directory), "-c", str(node.directory / "nginx.conf")]
            return Process(name, node.namespace, command, ready=node.directory / "nginx.pid")
        command = [str(BUILD / "warmswap-agent"), "--interface", "eth0", "--allow-source", self.config.outer_source]
        for vip in self.config.vips:
            command += ["--vip", vip]
        if self.config.heartbeat_port:
            command += ["--report", f"{BALANCER.address}:{self.config.heartbeat_port}", "--report-key-file", str(HEARTBEAT_KEY_FILE),
                        "--report-interval", str(self.state["heartbeat_ms"]), "--link-mbps", "1000",
                        "--not-ready-file", str(node.directory / "not-ready")]  # fmt: skip
        return Process(name, node.namespace, command, ready="ready:")

    def planes(self) -> list[str]:
        return list(PLANES) if self.state["balancer"] else []

    def servers(self) -> list[str]:
        return [f"{kind}-{node.name}" for node in self.backends for kind in ("nginx", "agent")]

    def processes(self) -> list[Process]:
        return [self.process(name) for name in self.planes() + self.servers()]

    def service(self, name: str) -> Process:
        """What `stop NAME` and `start NAME` are about: a node's web server, or one of the balancer's two planes."""
        if name in PLANES:
            return self.process(name)
        if not self.node(name).is_backend:
            raise LabError(f"{name} runs no service: name a backend, dataplane or controlplane")
        return self.process(f"nginx-{name}")


def _read_state() -> dict:
    """Of a lab that is up, or whose `up` did not get to its end."""
    return json.loads(STATE.read_text(encoding="utf-8")) if STATE.exists() else {}


def current() -> Lab:
    state = _read_state()
    if not state.get("since"):
        raise LabError("the lab is not up: scripts/lab up")
    return Lab(state)


def leftovers() -> list[str]:
    """What of a lab there is, in words."""
    found = [f"namespace {name}" for name in network.namespaces()]
    found += [f"process {process.name} ({process.pid()})" for process in recorded() if process.pid()]
    return found + ([str(RUN)] if RUN.exists() else [])


def up(hot: int, warm: int, spare: int, mode: str, config: Path | None, balancer: bool, heartbeat_ms: int = 0) -> Lab:
    running = _read_state()
    if running.get("since"):
        raise LabError(f"the lab is already up ({running['hot']} hot, {running['warm']} warm, {running['spare']} spare): "
                       "use it, or take it down with `scripts/lab down`")  # fmt: skip
    if mode == "hot-hot" and warm:
        raise LabError(f"--mode hot-hot has no warm backends, and --warm {warm} asks for some")
    for role, count in (("hot", hot), ("warm", warm), ("spare", spare)):
        if not 0 <= count <= MAX_PER_ROLE:
            raise LabError(f"--{role} {count}: expected 0 to {MAX_PER_ROLE}")
    wanted = PROGRAMS if balancer else ("warmswap-agent",)
    absent = [name for name in wanted if not (BUILD / name).exists()]
    if absent:
        raise LabError(f"{', '.join(absent)} not found in {BUILD}: meson setup build && ninja -C build")
    if leftovers():
        print("lab: removing what an interrupted lab left", file=sys.stderr)
        down()
    try:
        return _build(hot, warm, spare, mode, config, balancer, heartbeat_ms)
    except BaseException:
        # Not to be interrupted a second time: what is half removed would be in the way of the next one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        down()
        raise


def _build(hot: int, warm: int, spare: int, mode: str, config: Path | None, balancer: bool, heartbeat_ms: int) -> Lab:
    RUN.mkdir(mode=0o755)
    LOGS.mkdir()
    path = config.resolve() if config else RUN / "warmswap.toml"
    if not config:
        core = sorted(os.sched_getaffinity(0))[-1]
        files.write_private(path, files.balancer_config(backends(hot, warm), mode, core, heartbeats=heartbeat_ms > 0))
    state = {"hot": hot, "warm": warm, "spare": spare, "balancer": balancer, "config": str(path),
             "heartbeat_ms": heartbeat_ms or DEFAULT_HEARTBEAT_MS}  # fmt: skip
    write_at_once(STATE, json.dumps(state))
    lab = Lab(state)
    lab.config.run_dir.mkdir(parents=True, exist_ok=True)
    files.write_private(HEARTBEAT_KEY_FILE, lab.config.heartbeat_key)
    network.add_fabric()
    for node in lab.nodes:
        network.add_node(node)
    for node in lab.backends:
        network.add_vips(node, lab.config.vips)
        files.write_web_server_files(node, lab.config.ports)
    network.introduce(BALANCER, lab.backends)
    deadline = time.monotonic() + UP_DEADLINE_S
    # The probes are to find everybody in order at their first look, so the servers come before those who watch them.
    for wave in (lab.servers(), lab.planes()):
        processes = [lab.process(name) for name in wave]
        for process in processes:
            process.start()
        wait_until_ready(processes, deadline)
    if balancer and lab.config.vips:
        _wait_for_answer(lab, not config, deadline)
    state["since"] = time.strftime("%H:%M:%S")
    write_at_once(STATE, json.dumps(state))
    return lab


def _wait_for_answer(lab: Lab, everybody: bool, deadline: float) -> None:
    """The probes must have found a backend before a client gets an answer; `everybody`: all of them, for a lab that is
    in order from the start."""
    url = f"http://{lab.config.vips[0]}:{lab.config.ports[0]}/"
    command = run_in(CLIENT.namespace, "curl", "-s", "-o", "/dev/null", "--max-time", "0.5", url)
    while True:
        try:
            states = Control(lab.config.socket).states() if everybody else {}
            network.call(*command)
            missing = [name for name, state in states.items() if state not in ("serving", "warm")]
        except (OSError, network.NetworkError) as error:
            missing = [str(error)]
        if not missing:
            return
        if time.monotonic() > deadline:
            planes = map(lab.process, PLANES)
            words = "\n".join(f"the end of {plane.log}:\n{plane.last_words()}" for plane in planes)
            raise LabError(f"everything runs, but {url} is not served as it should: {', '.join(missing)}\n{words}")
        time.sleep(0.02)


def down() -> list[str]:
    """Removes everything, whatever state it is in. Returns what could not be done in the orderly way."""
    complaints = []
    state = _read_state()
    # The planes first and by request, so that they give back what they hold; the rest has nothing to give back.
    for process in sorted(recorded(), key=lambda process: process.name not in PLANES):
        try:
            process.stop() if process.name in PLANES else process.kill()
        except ProcessError as error:
            complaints.append(str(error))
    for namespace in network.namespaces():
        # Also what a user started with `exec`.
        for pid in network.processes_in(namespace):
            send(pid, signal.SIGKILL)
        _remove_agent_locks(namespace)
        network.remove(namespace)
    if state:
        _remove_instance(files.read_config(Path(state["config"])))
    shutil.rmtree(RUN, ignore_errors=True)
    return complaints


def _remove_agent_locks(namespace: str) -> None:
    """What a killed agent leaves; they are named by the namespace's inode."""
    inode = (Path("/run/netns") / namespace).stat().st_ino
    for path in AGENT_LOCKS.glob(f"{inode}-*.lock"):
        path.unlink(missing_ok=True)
    # Unless agents outside the lab use it.
    with contextlib.suppress(OSError):
        AGENT_LOCKS.rmdir()


def _remove_instance(config: files.BalancerConfig) -> None:
    """What the balancer's processes leave for their successors: the segment, with the last snapshot, and the socket."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    for directory in ["/dev/shm", *(fields[1] for fields in mounts if fields[2] == "hugetlbfs")]:
        (Path(directory) / f"warmswap-{config.instance}").unlink(missing_ok=True)
    shutil.rmtree(Path("/var/run/dpdk") / f"warmswap-{config.instance}", ignore_errors=True)
    for path in config.run_dir.glob(f"{config.instance}.*"):
        path.unlink(missing_ok=True)


def set_frozen(lab: Lab, node: Node, frozen: bool, whole_host: bool) -> None:
    """A web server, or everything on its host, that neither answers nor ends."""
    kinds = ("nginx", "agent") if whole_host else ("nginx",)
    for kind in kinds:
        for pid in lab.process(f"{kind}-{node.name}").members():
            send(pid, signal.SIGSTOP if frozen else signal.SIGCONT)


def set_failing(node: Node, failing: bool) -> None:
    if failing:
        node.failing_flag.touch()
    else:
        node.failing_flag.unlink(missing_ok=True)


def describe(lab: Lab) -> str:
    state = lab.state
    lines = [f"lab: up since {state['since']}: {state['hot']} hot, {state['warm']} warm, {state['spare']} spare; "
             f"vips {', '.join(lab.config.vips)}; configuration {lab.config.path}"]  # fmt: skip
    lines.append(f"{'NODE':<10} {'ADDRESS':<14} {'LINK':<5} RUNS")
    processes = [(process.name, process.namespace, process.pid()) for process in lab.processes()]
    for node in lab.nodes:
        here = [(name.split("-")[0], pid) for name, namespace, pid in processes if namespace == node.namespace]
        runs = ", ".join(f"{name} ({pid})" if pid else f"no {name}!" for name, pid in here)
        if node.is_backend and node.failing_flag.exists():
            runs += ", /health answers 500"
        link = "up" if network.link_is_up(node) else "cut"
        lines.append(f"{node.name:<10} {node.address:<14} {link:<5} {runs or '-'}")
    lines.append(f"{'fabric':<10} {'-':<14} {'-':<5} {FABRIC}")
    return "\n".join(lines)
