"""warmswap-gen moving packets, over virtual devices that every machine has.

    transmit ──► net_ring ──► receive        one process, one CPU
    transmit ──► net_pcap: a file for scapy
    A ◄── memif ──► B                        two processes, or one that is both
"""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from scapy.all import ARP, IP, Ether, rdpcap, wrpcap

RING = ("--vdev", "net_ring0")


def faults(result):
    return {
        name: result[name]
        for name in ("lost", "duplicated", "reordered", "misrouted_flows", "corrupt", "foreign", "stale", "refused")
        if result[name] != 0
    }


def assert_consistent(result):
    """Figures that must agree, whatever the machine was doing."""
    assert result["transmitted"] + result["skipped"] + result["refused"] == pytest.approx(result["offered"], abs=2)
    assert result["received"] == sum(backend["packets"] for backend in result["backends"])
    assert result["received"] == sum(result["timeline"]["received"])
    assert result["transmitted"] == sum(result["timeline"]["transmitted"])
    assert result["latency_ns"]["count"] == result["received"]
    assert result["inter_departure_ns"]["count"] == result["transmitted"] - 1
    behind = result["verdict"]["generator_limited"]
    assert behind == (result["transmitted"] + result["refused"] < 0.999 * result["offered"])


def wait_for(condition, seconds=10):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    "traffic",
    [
        (),
        ("--size", "imix", "--protocol", "udp"),
        ("--vip", "2001:db8::10", "--choice", "zipf:1.1", "--flows", "100k"),
        ("--kinds", "life-cycle:4", "--flows", "500"),
        ("--syn-flood", "20kpps", "--no-flow-table"),
        ("--size", "9018"),
    ],
    ids=" ".join,
)
def test_a_loop_loses_nothing_and_finds_no_fault(generator, traffic):
    result = generator.moves("run", *RING, "--rate", "100kpps", "--duration", "400ms", *traffic)
    assert {name: count for name, count in faults(result).items() if count is not None} == {}
    assert_consistent(result)
    assert result["transmitted"] > 10_000
    assert result["offered"] == pytest.approx(40_000 * (1.2 if "--syn-flood" in traffic else 1), abs=3)


def test_without_pacing(generator):
    result = generator.moves("run", *RING, "--rate", "max", "--duration", "300ms")
    assert faults(result) == {}
    assert result["offered_pps"] is None
    assert result["received_pps"] > 200_000


def test_what_a_full_device_refuses_is_lost(generator):
    """Nobody takes from the ring: what it has no room for was not sent, and not because the generator was late."""
    result = generator.moves("run", *RING, "--vdev", "net_ring1", "--rate", "100kpps", "--duration", "300ms",
                             "--drain", "50ms", expect=1)  # fmt: skip
    assert result["transmitted"] < 3000 < result["refused"]
    assert result["transmitted"] + result["refused"] + result["skipped"] == pytest.approx(result["offered"], abs=2)
    assert result["loss_ratio"] == 1
    assert result["blocked"] >= 1
    assert f"{result['refused']} were refused by the device" in result["verdict"]["reasons"][0]


def test_a_search_takes_refusals_for_losses(generator):
    result = generator.moves(
        "search", *RING, "--vdev", "net_ring1", "--method", "rfc2544", "--min-rate", "50kpps", "--max-rate", "100kpps",
        "--trial", "200ms", "--drain", "20ms", "--resolution", "50%", expect=0,
    )  # fmt: skip
    assert {goal["outcome"] for goal in result["goals"]} == {"loss-at-min"}


def test_scapy_reads_what_left(generator, tmp_path):
    result = generator.moves(
        "run", "--vdev", f"net_pcap0,tx_pcap={tmp_path}/out.pcap", "--vdev", "net_ring1", "--rate", "20kpps",
        "--duration", "100ms", "--drain", "10ms", "--kinds", "syn:1,data:3", expect=1,
    )  # fmt: skip
    frames = rdpcap(str(tmp_path / "out.pcap"))
    assert len(frames) == result["transmitted"] > 500
    for frame in frames:
        raw = bytes(frame)
        again = Ether(raw)
        del again[IP].chksum, again[IP].payload.chksum
        assert bytes(again) == raw


def test_a_capture_comes_in(generator, tmp_path):
    """What others send is foreign; of our own, nothing came."""
    wrpcap(str(tmp_path / "in.pcap"), [Ether() / ARP()] * 7)
    result = generator.moves(
        "run", "--vdev", "net_null0", "--vdev", f"net_pcap0,rx_pcap={tmp_path}/in.pcap", "--rate", "1kpps",
        "--duration", "200ms", "--drain", "10ms", expect=1,
    )  # fmt: skip
    assert result["lost"] == result["transmitted"]
    assert result["received"] == 0


def test_replay(generator, tmp_path):
    generator("write-pcap", tmp_path / "f.pcap", "--count", 37, "--size", "imix", "--rate", "10kpps")
    result = generator.moves("run", *RING, "--replay", tmp_path / "f.pcap", "--rate", "50kpps", "--duration", "200ms")
    assert result["received"] == result["transmitted"] > 2000
    assert result["duplicated"] is None and result["misrouted_flows"] is None
    own = generator.moves("run", *RING, "--replay", tmp_path / "f.pcap", "--rate", "capture", "--duration", "300ms")
    assert own["offered"] == pytest.approx(3000, abs=60)
    assert own["received"] == own["transmitted"]
    generator.moves("run", "--vdev", f"net_pcap0,tx_pcap={tmp_path}/out.pcap", "--vdev", "net_ring1", "--replay",
                    tmp_path / "f.pcap", "--rate", "1kpps", "--duration", "100ms", "--drain", "10ms",
                    "--destination-mac", "02:00:00:00:00:77", expect=1)  # fmt: skip
    assert {frame.dst for frame in rdpcap(str(tmp_path / "out.pcap"))} == {"02:00:00:00:00:77"}


def memif(number, role, path):
    return f"net_memif{number},id=0,role={role},socket={path}/memif.sock,socket-abstract=no"


def test_memif_within_one_process(generator, tmp_path):
    result = generator.moves("run", "--vdev", memif(0, "server", tmp_path), "--vdev", memif(1, "client", tmp_path),
                             "--rate", "20kpps", "--duration", "300ms")  # fmt: skip
    assert faults(result) == {}
    assert_consistent(result)
    assert result["received"] > 1000


def test_memif_between_two_processes(generator, tmp_path):
    """Both send the same traffic and receive the other's; whoever is late loses, so only faults of content count. The
    server outlives the client: the driver takes the memory away from under whoever still polls."""
    command = [generator.program, "run", "--no-huge", "--cores", str(min(os.sched_getaffinity(0))), "--rate", "20kpps",
               "--duration", "60s", "--vdev", memif(0, "server", tmp_path)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for((tmp_path / "memif.sock").exists)
            result = generator.moves("run", "--vdev", memif(0, "client", tmp_path), "--rate", "20kpps", "--duration",
                                     "1s", "--max-loss", "100%", "--drain", "50ms")  # fmt: skip
        finally:
            server.kill()
            for base in (Path("/var/run/dpdk"), Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp"), "dpdk")):
                shutil.rmtree(base / f"warmswap-gen-{server.pid}", ignore_errors=True)
    assert result["received"] > 1000
    assert (result["corrupt"], result["duplicated"], result["misrouted_flows"]) == (0, 0, 0)


def test_no_link_is_said(generator, tmp_path):
    done = generator("run", *generator.moving, "--vdev", f"net_memif0,role=server,socket={tmp_path}/s,socket-abstract=no",
                     "--link-wait", "100ms", expect=3)  # fmt: skip
    assert "port net_memif0: its link is down after 100 ms; is the other side there? (--link-wait)" in done.stderr


def test_unknown_devices_and_cpus_are_said(generator):
    done = generator("run", *generator.moving, "--vdev", "net_nosuch0", expect=3)
    assert "net_nosuch0" in done.stderr
    done = generator("run", "--no-huge", "--cores", "4095", *RING, expect=3)
    assert "--cores: core 4095 is not among" in done.stderr


def test_interrupt_ends_early_and_still_reports(generator):
    command = [generator.program, "run", *generator.moving, *RING, "--rate", "10kpps", "--duration", "60s", "--progress",
               "--json", "-"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert "transmitted" in running.stderr.readline()
            running.send_signal(signal.SIGINT)
            result = json.loads(running.communicate(timeout=10)[0])
        finally:
            running.kill()
    assert result["interrupted"] and 0.9 < result["duration_s"] < 30
    assert faults(result) == {}
    assert running.returncode == 0


def interrupted(generator, *arguments, after, expect):
    """What `arguments` give when they are interrupted `after` seconds."""
    command = [generator.program, *map(str, arguments), *generator.moving]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            time.sleep(after)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=10)
        finally:
            running.kill()
    assert running.returncode == expect, out + err
    return out, err


def test_an_interrupted_search_tells_what_it_knows(generator):
    out, _ = interrupted(generator, "search", *RING, "--vdev", "net_ring1", "--method", "rfc2544", "--min-rate", "1kpps",
                         "--max-rate", "20kpps", "--trial", "300ms", "--drain", "10ms", "--resolution", "0.01%", "--json",
                         "-", after=3, expect=3)  # fmt: skip
    result = json.loads(out)
    assert result["interrupted"] and not result["conclusive"]
    assert [goal["outcome"] for goal in result["goals"]] == ["unfinished"]
    assert len(result["trials"]) >= 1
    assert all(trial["duration_s"] > 0.29 for trial in result["trials"]), "a trial cut short is none"


def test_an_interrupt_ends_a_self_test_and_the_wait_for_a_link(generator, tmp_path):
    _, err = interrupted(generator, "self-test", "--duration", "20s", after=2, expect=3)
    assert "interrupted" in err
    _, err = interrupted(generator, "run", "--vdev", memif(0, "server", tmp_path), "--link-wait", "60s", after=2, expect=3)
    assert "interrupted" in err


def test_files_are_opened_before_anything_is_sent(generator, tmp_path):
    done = generator("run", *generator.moving, *RING, "--duration", "60s", "--html", tmp_path / "no" / "r.html", expect=2)
    assert "r.html: cannot be written: No such file or directory" in done.stderr


def test_a_receiver_that_is_behind_has_no_verdict(generator):
    """net_null hands out frames of zeros without end: a whole queue always waits, and ours may have been lost there."""
    result = generator.moves("run", *RING, "--vdev", "net_null0", "--rate", "10kpps", "--duration", "100ms", expect=3)
    assert result["overruns"] > 0 and not result["verdict"]["measured"]
    assert "whole queue waiting" in result["verdict"]["warnings"][0]


def test_self_test(generator):
    result = generator.json("self-test", *generator.moving, "--duration", "200ms")
    assert result["transmit_only"]["transmitted_pps"] > result["half"]["received_pps"] > 0
    assert result["loop"]["received"] == result["loop"]["transmitted"] > 0
    assert result["half"]["offered_pps"] == pytest.approx(result["loop"]["transmitted_pps"] / 2, rel=0.01)


@pytest.mark.parametrize("method", ["rfc2544", "mlr"])
def test_search(generator, method, tmp_path):
    """A ring loses nothing: the search ends at the highest rate, or where the generator could not reach it."""
    result = generator.moves(
        "search", *RING, "--method", method, "--min-rate", "1kpps", "--max-rate", "20kpps", "--trial", "100ms",
        "--first-trial", "50ms", "--decide", "200ms", "--most", "3s", "--resolution", "20%", "--html",
        tmp_path / "s.html", expect=(0, 3),
    )  # fmt: skip
    assert [goal["name"] for goal in result["goals"]] == (["NDR"] if method == "rfc2544" else ["NDR", "PDR"])
    outcomes = {goal["outcome"] for goal in result["goals"]}
    assert outcomes <= {"no-loss-at-max", "generator-limit", "unfinished"}
    assert result["conclusive"] == (outcomes == {"no-loss-at-max"})
    assert result["faults"] == []
    assert all(trial["received"] == trial["sent"] > 0 for trial in result["trials"])
    assert "<svg" in (tmp_path / "s.html").read_text()


def test_pages(generator, tmp_path):
    generator.moves("run", *RING, "--rate", "10kpps", "--duration", "200ms", "--html", tmp_path / "run.html")
    page = (tmp_path / "run.html").read_text()
    for heading in ("Throughput over time", "Latency by percentile", "Time between departures", "Share of each backend"):
        assert heading in page
    (tmp_path / "d.json").write_text('{"title": "A report", "sections": [{"heading": "One <two>"}]}')
    generator("report", tmp_path / "d.json", "-o", tmp_path / "d.html")
    assert "One &lt;two&gt;" in (tmp_path / "d.html").read_text()
    generator.moves("run", *RING, "--rate", "10kpps", "--duration", "50ms", "--html", tmp_path / "p.html")
    (tmp_path / "d.json").write_text('{"program":"warmswap-gen","command":"run"}')
    assert "--html writes its page" in generator("report", tmp_path / "d.json", "-o", tmp_path / "e.html", expect=3).stderr
    (tmp_path / "d.json").write_text('{"title": "A report", "titel": "twice"}')
    done = generator("report", tmp_path / "d.json", "-o", tmp_path / "e.html", expect=3)
    assert "titel" in done.stderr
    assert not Path(tmp_path / "e.html").exists()


@pytest.mark.parametrize("device, code", [("net_ring0", 0), ("net_nosuch0", 3)])
def test_nothing_is_left_behind(generator, device, code):
    command = [generator.program, "run", *generator.moving, "--vdev", device, "--rate", "1kpps", "--duration", "50ms"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        assert running.wait(timeout=20) == code
    for base in ("/var/run/dpdk", os.environ.get("XDG_RUNTIME_DIR", "/tmp") + "/dpdk"):
        assert not Path(base, f"warmswap-gen-{running.pid}").exists()
