"""Every kind of probe against a real service on hot2: found healthy, and found dead when it ends.

    client ── br0 ── balancer
               ├──── hot1
               ├──── hot2   HTTPS, UDP and gRPC besides its web server
               └──── warm1
"""

import subprocess
import sys
from pathlib import Path

import pytest
from lab import RunningLab, eventually, files, layout
from paths import ROOT
from watching import backend, failover_of, probe_detail, reconfigured

NAME = "service.example"
TIMES = "interval = \"50ms\"\ntimeout = \"50ms\"\n"


@pytest.fixture(scope="module", name="lab_options")
def two_hot_backends():
    return ["--hot", "2", "--warm", "1"]


@pytest.fixture(scope="module", name="identity")
def certificate_and_key(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("identity")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
                    "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)  # fmt: skip
    return certificate, key


class Services:
    """tests/support/services.py on a backend, for the length of the block."""

    def __init__(self, lab: RunningLab, name: str, identity: tuple[Path, Path]):
        command = ["ip", "netns", "exec", lab.node(name).namespace, sys.executable, "-B",
                   str(ROOT / "tests/support/services.py"), *map(str, identity)]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Services":
        assert self._process.stdout.readline() == "ready\n"
        return self

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def __exit__(self, *_) -> None:
        self.end()
        self._process.stdout.close()


def asking(lab: RunningLab, probe: str) -> str:
    """The lab's configuration with a probe of its own for hot2."""
    text = lab.config.path.read_text(encoding="utf-8")
    at = text.index('name = "hot2"\n')
    end = text.find("[[", at)
    return f"{text[:end]}[pool.backend.probe]\n{probe}{TIMES}\n{text[end:]}"


def found_healthy(lab: RunningLab, says: str) -> None:
    eventually(lambda: says in probe_detail(lab, "hot2"), f"the probe says {says}: {probe_detail(lab, 'hot2')}")
    eventually(lambda: lab.control.states()["hot2"] == "serving", "hot2 serves")


@pytest.mark.parametrize(
    ("probe", "says", "then"),
    [
        ('kind = "https"\nport = 8443\nhost = "{name}"\nverify = true\nca_file = "{ca}"\nexpect = "well"\n',
         "HTTP status 200", "connection refused"),
        ('kind = "udp"\nport = 5300\npayload = "ping"\nexpect = "pong"\n', "answered", "connection refused"),
        ('kind = "grpc"\nport = 50051\ntls = true\nhost = "{name}"\nverify = true\nca_file = "{ca}"\n',
         "SERVING", "connection refused"),
        ('kind = "grpc"\nport = 50052\n', "SERVING", "connection refused"),
        ('kind = "tcp"\nport = 8443\ntls = true\nhost = "{name}"\nverify = true\nca_file = "{ca}"\n',
         "connected over TLS", "connection refused"),
    ],
    ids=["https", "udp", "grpc over TLS", "grpc", "tcp over TLS"],
)  # fmt: skip
def test_a_service_is_found_healthy_and_dead(lab, identity, probe, says, then):
    text = asking(lab, probe.replace("{name}", NAME).replace("{ca}", str(identity[0])))
    with Services(lab, "hot2", identity) as services, reconfigured(lab, text):
        found_healthy(lab, says)
        since = lab.newest_event()
        services.end()
        assert failover_of(lab, since, "hot2")["cause"] == "probe"
        assert then in probe_detail(lab, "hot2")


def test_a_certificate_for_somebody_else_is_no_health_where_it_is_verified(lab, identity):
    probe = f'kind = "https"\nport = 8443\nhost = "other.example"\nverify = true\nca_file = "{identity[0]}"\n'
    with Services(lab, "hot2", identity):
        since = lab.newest_event()
        with reconfigured(lab, asking(lab, probe)):
            assert failover_of(lab, since, "hot2")["cause"] == "probe"
            assert "certificate verify failed" in probe_detail(lab, "hot2")


def test_a_text_is_sent_and_another_one_comes_back(lab):
    """A tcp probe that speaks to the web server."""
    probe = 'kind = "tcp"\npayload = "GET / HTTP/1.0\\r\\n\\r\\n"\nexpect = "{}"\n'
    with reconfigured(lab, asking(lab, probe.format("hot2"))):
        found_healthy(lab, "answered")
    since = lab.newest_event()
    with reconfigured(lab, asking(lab, probe.format("hot3"))):
        assert failover_of(lab, since, "hot2")["cause"] == "probe"
        assert 'connection closed after an answer of' in probe_detail(lab, "hot2")


def test_an_echo_shows_the_host_and_not_the_service(lab):
    lab.on("balancer", "sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")
    with reconfigured(lab, asking(lab, 'kind = "icmp"\n')):
        found_healthy(lab, "answered")
        since = lab.newest_event()
        lab.do("stop", "hot2")
        assert lab.control.states()["hot2"] == "serving"
        lab.do("cut", "hot2")
        assert failover_of(lab, since, "hot2")["cause"] == "probe"


def test_a_program_says_whether_it_works(lab, tmp_path):
    flag = tmp_path / "works"
    flag.touch()
    with reconfigured(lab, asking(lab, f'kind = "exec"\ncommand = ["/usr/bin/test", "-e", "{flag}"]\n')):
        found_healthy(lab, "exit status 0")
        since = lab.newest_event()
        flag.unlink()
        assert failover_of(lab, since, "hot2")["cause"] == "probe"
        assert "exit status 1" in probe_detail(lab, "hot2")


def test_standbys_are_warmed_over_tls_and_by_texts(lab, identity):
    """The standby's services are asked on the port of the pool's probe."""
    text = lab.config.path.read_text(encoding="utf-8")
    pool_probe = text.replace("[pool.probe]\n", f'[pool.probe]\nhost = "{NAME}"\nport = 8443\n', 1)
    kind = next(line for line in text.splitlines() if line.startswith("kind = "))
    with Services(lab, "warm1", identity), Services(lab, "hot1", identity), Services(lab, "hot2", identity):
        for warm, probe_kind in [('kind = "https"\npaths = ["/"]\n', "tcp"),
                                 ('kind = "tcp"\npayloads = ["GET / HTTP/1.0\\r\\n\\r\\n"]\nexpect = "warm1"\n', "http")]:  # fmt: skip
            base = pool_probe.replace(kind, 'kind = "tcp"', 1) if probe_kind == "tcp" else text
            base = "\n".join(line for line in base.splitlines() if probe_kind == "http" or not line.startswith("path = "))
            table = f'[pool.warm]\n{warm}interval = "20ms"\n'
            with reconfigured(lab, base.replace("[pool.probe]\n", f"{table}[pool.probe]\n", 1) + "\n"):
                eventually(lambda: (backend(lab, "warm1")["warm_requests"] or 0) > 10, f"warm1 is asked: {warm}")
                assert backend(lab, "warm1")["warm_failures"] == 0
                eventually(lambda: set(lab.control.states().values()) == {"serving", "warm"}, "all are healthy")
