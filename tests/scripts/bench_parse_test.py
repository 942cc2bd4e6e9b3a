"""What scripts/bench reads of other programs and writes for them."""

import json
import struct
import subprocess

import bench  # noqa: F401
import pytest
from paths import BUILD, missing
from scapy.all import IP, TCP, Ether, PcapWriter, rdpcap
from scenarios import document, failover, forward, frames, machine, memif, pipeline, probes, report, swap, table
from scenarios.balancer import Shape, configuration
from scenarios.capture import Capture
from scenarios.resources import ResourceError
from scenarios.row import Bound, Row
from scenarios.spread import spread_of
from scenarios.testpmd import Memory, parse_port_stats

PORT_STATS = """show port stats 0

  ######################## NIC statistics for port 0  ########################
  RX-packets: 5954752    RX-missed: 1          RX-bytes:  357285120
  RX-errors: 2
  RX-nombuf:  4         
  TX-packets: 5557984    TX-errors: 8          TX-bytes:  333479040

  Throughput (since last show)
  Rx-pps:     22915616          Rx-bps:  10999496032
  Tx-pps:     22915484          Tx-bps:  10999432600
  ############################################################################
testpmd> """  # noqa: W291


def test_testpmds_port_statistics():
    stats = parse_port_stats(PORT_STATS)
    assert (stats.received, stats.sent, stats.lost) == (5954752, 5557984, 15)


def test_other_words_of_testpmd_are_refused():
    with pytest.raises(ResourceError, match="RX-packets"):
        parse_port_stats("Invalid port 0\ntestpmd> ")


def test_frames_are_what_an_independent_decoder_takes_for_tcp(tmp_path):
    path = tmp_path / "frames.pcap"
    frames.write_pcap(path, 300)
    packets = rdpcap(str(path))
    assert len({(packet[IP].src, packet[TCP].sport) for packet in packets}) == 300
    for packet in packets:
        assert len(packet) == frames.FRAME_BYTES
        assert (packet[IP].dst, packet[TCP].dport, packet[TCP].flags) == (frames.VIP, frames.PORT, "A")
        told = packet[IP].chksum
        del packet[IP].chksum
        assert IP(bytes(packet[IP])).chksum == told
    again = tmp_path / "again.pcap"
    frames.write_pcap(again, 300)
    assert again.read_bytes() == path.read_bytes()


def write_capture(path, hosts: list[int], nano: bool) -> None:
    """As net_pcap writes what the dataplane sends: IPIP frames, here one every microsecond."""
    with PcapWriter(str(path), nano=nano, endianness="<", linktype=1, sync=True) as out:
        for number, host in enumerate(hosts):
            packet = Ether() / IP(src="198.18.0.1", dst=f"10.200.0.{host}") / IP(dst="198.51.100.1") / TCP()
            packet.time = 1000 + number * 1e-6
            out.write(packet)


@pytest.mark.parametrize("nano", [True, False])
def test_a_switch_is_found_in_a_capture(tmp_path, nano):
    path = tmp_path / "sent.pcap"
    write_capture(path, [10, 11, 10, 12, 11, 20, 12, 20], nano)
    switch = Capture(path).switch(10, 20)
    assert (switch.before, switch.misdirected) == (2, 0)
    assert switch.gap_ns == pytest.approx(3000, abs=100)


def test_packets_to_the_dead_after_the_switch_are_counted(tmp_path):
    path = tmp_path / "sent.pcap"
    write_capture(path, [10, 20, 10, 11, 10], True)
    switch = Capture(path).switch(10, 20)
    assert switch.misdirected == 2
    assert switch.gap_ns < 0


def test_a_capture_that_cannot_be_judged_is_refused(tmp_path):
    path = tmp_path / "sent.pcap"
    write_capture(path, [10, 10], True)
    with pytest.raises(ResourceError, match="no packet to host 20"):
        Capture(path).switch(10, 20)
    path.write_bytes(b"\0" * 100)
    with pytest.raises(ResourceError, match="little-endian pcap"):
        Capture(path)


def test_frames_of_different_sizes_are_refused(tmp_path):
    path = tmp_path / "sent.pcap"
    with PcapWriter(str(path), nano=True, endianness="<", linktype=1, sync=True) as out:
        for payload in (b"", b"x" * 16):
            out.write(Ether() / IP() / IP() / TCP() / payload)
    with pytest.raises(ResourceError, match="different sizes"):
        Capture(path)


BENCHMARK = {
    "benchmarks": [
        {"run_type": "iteration", "run_name": f"build/{kind}/1000/65537", "cpu_time": time, "time_unit": unit}
        for kind, unit, times in [
            ("ours_weighted", "ms", (2, 2.2, 1.8)),
            ("plain_weighted", "us", (2500, 2400, 2600)),
            ("redeal", "us", (150, 160, 155)),
        ]
        for time in times
    ]
    + [{"run_type": "aggregate", "run_name": "build/redeal/1000/65537", "cpu_time": 9e9, "time_unit": "us"}]
    + [
        {"run_type": "iteration", "run_name": f"quality/{who}/100/65537/iterations:1", "share_error": 1.001,
         "loss_moved": moved, "loss_survivors": survivors, "weight_moved": 2.0}
        for who, moved, survivors in [("ours", 1.0, 0.0), ("plain", 1.6, 0.006)]
    ]
}  # fmt: skip
QUIET = {"worker_cpu": {"steal": 0.0, "busy": 1.0}, "busiest_other_cpu": {"steal": 0.0, "busy": 0.1}}


def table_result() -> dict:
    times, quality = table.parse(BENCHMARK)
    return table.summary(times, quality, QUIET)


def by_key(rows: list[Row]) -> dict[str, float]:
    return {row.key: row.value for row in rows if row.key}


def test_ring_figures_out_of_google_benchmark():
    values = by_key(table.rows(table_result()))
    assert values["table.build_ms"] == pytest.approx(2.0)
    assert values["table.redeal_ms"] == pytest.approx(0.155)
    assert values["table.build_ratio_to_plain"] == pytest.approx(2000 / 2500)
    assert values["table.redeal_ratio_to_build"] == pytest.approx(155 / 2000)
    assert values["table.survivors_moved_percent"] == 0


PROBES = {
    "probes": [
        {"kind": "tcp", "targets": 10000, "core": [0.20, 0.21, 0.19], "per_s": 9999.0, "not_good": 0},
        {"kind": "tcp_half_open", "targets": 10000, "core": [0.10, 0.11, 0.12], "per_s": 9998.0, "not_good": 3},
    ],
    "heartbeats": {"backends": 10000, "us": 0.67, "accepted": 10, "sent": 10},
}


def test_what_probing_costs():
    result = probes.summary(PROBES, QUIET)
    values = by_key(probes.rows(result))
    assert values["probes.percent_of_a_core.tcp"] == pytest.approx(20)
    assert values["probes.percent_of_a_core.tcp_half_open"] == pytest.approx(11)
    assert values["probes.half_open_ratio_to_tcp"] == pytest.approx(0.55)
    assert (values["probes.not_good.tcp"], values["probes.not_good.tcp_half_open"]) == (0, 3)
    assert probes.section(result)["tables"][0]["rows"][1][:2] == ["tcp_half_open", 10000]


def swap_found(change: str = "seat", **more) -> dict:
    spread = {"count": 20, "p50": 40_000, "p90": 60_000, "p99": 90_000, "max": 200_000}
    found = {"pools": 100, "backends": 100, "change": change, "publishes": 40, "per_s": 1000.0, "publish_ns": spread,
             "acknowledge_ns": spread, "pps": [[50e6, 49.5e6], [50e6, 49.6e6], [50e6, 49.4e6]]} | more  # fmt: skip
    return swap.summary(found, QUIET)


def swap_result(**more) -> dict:
    changes = {change: swap_found(change) for change in swap.CHANGES}
    return {"rates": {"100/1000": swap_found(**more)}, "changes": changes}


def test_what_publishing_leaves_of_the_throughput():
    values = by_key(swap.rows(swap_result()))
    assert values["swap.kept_at_1000_per_s"] == pytest.approx(0.99)
    assert values["swap.publish_us.seat"] == 40


def test_a_small_difference_of_scattered_rates_is_noise():
    scattered = swap_result(pps=[[50e6, 50e6], [50e6, 47e6], [50e6, 53e6], [50e6, 49e6]])
    row = next(row for row in swap.rows(scattered) if row.key == "swap.kept_at_1000_per_s")
    assert "known to" in row.noisy


def pipeline_report(above: float = 20.0, repetitions: int = 3) -> dict:
    """What pipeline_bench prints, with a mean among it as Google Benchmark adds them."""
    steady = {"baseline": 4.0, "above_baseline": above, "cycles_per_packet": above + 4, "real_time": 1.0}
    members = {f"flows/{flows}": steady for flows in (1000, 1_000_000, 10_000_000)} | {"level/avx2": steady}
    members |= {"stages/avx2": {stage: 2.0 for stage in pipeline.STAGES}, "tail/burst": {"p9999_to_median": 1.5}}
    runs = [{"run_name": f"{name}/manual_time", "run_type": kind, "iterations": 7} | counters
            for name, counters in members.items() for kind in [*["iteration"] * repetitions, "aggregate"]]  # fmt: skip
    return {"benchmarks": runs}


def pipeline_result(**options) -> dict:
    return pipeline.summary(pipeline.parse(pipeline_report(**options)), QUIET)


def test_the_packet_path_is_judged_above_its_baseline_and_level_by_level():
    result = pipeline_result(above=20.0)
    assert result["steady"]["cycles_per_packet"]["1000000"] == 24
    assert result["baseline"]["cycles_per_packet"] == 4
    rows = by_key(pipeline.rows(result))
    assert rows["pipeline.above_baseline"] == 20
    assert rows["pipeline.many_to_few_flows"] == 1
    assert rows["pipeline.ratio_to_baseline.avx2"] == 6
    assert by_key(pipeline.rows(pipeline_result(above=25.0)))["pipeline.ratio_to_baseline.avx2"] == 7.25


def test_a_benchmark_that_did_not_forward_everything_is_no_figure():
    report = pipeline_report()
    for one in report["benchmarks"]:
        one["error_occurred"] = "level" in one["run_name"]
    assert "level" not in pipeline.parse(report)


def forward_result() -> dict:
    turns = [{name: forward.Window(int(mpps * 4e5), 0.4, 0.5) for name, mpps in rates.items()}
             for rates in ({"warmswap": 40, "mac": 80, "5tswap": 60}, {"warmswap": 42, "mac": 80, "5tswap": 60})]  # fmt: skip
    run = forward._summary(10_000, True, turns, QUIET)
    ordinary = forward._summary(10_000, False, turns[1:], QUIET)
    latency = {part: 1000 for part in memif.PERCENTILES}
    generated = {"verdict": {"noisy": True, "warnings": ["steal"]}, "offered_pps": 1e6, "transmitted": 1000, "lost": 1,
                 "misrouted_flows": 0, "reordered": 0, "latency_ns": latency}  # fmt: skip
    search = {"goals": [{"name": "NDR", "throughput_pps": 4e6, "outcome": "unfinished"}], "trials": [{"valid": True}]}
    return {"ratio_to_testpmd": run["ratio_to"]["mac"]["median"], "noisy": run["noisy"], "runs": [run, ordinary],
            "memif": memif.summary(generated, search)}  # fmt: skip


def test_ratios_are_of_pairs_and_of_processor_time():
    result = forward_result()
    assert result["ratio_to_testpmd"] == pytest.approx((0.5 + 0.525) / 2)
    assert result["runs"][0]["mpps"]["mac"]["median"] == pytest.approx(80)
    assert result["runs"][0]["wall_mpps"]["mac"]["median"] == pytest.approx(64)
    rows = by_key(forward.rows(result))
    assert rows["forward.ratio_to_testpmd"] == result["ratio_to_testpmd"]
    assert rows["forward.ratio_to_testpmd_ordinary_pages"] == pytest.approx(0.525)


def test_a_disturbed_generator_makes_its_latencies_noise_but_not_its_misrouting():
    rows = memif.rows(forward_result()["memif"])
    assert all(row.noisy for row in rows if "latency" in row.what or "NDR" in row.what)
    assert [row.noisy for row in rows if row.key == "forward.misrouted_flows"] == [""]


def failover_result() -> dict:
    switches = [failover.Switch(100, 0, 2000), failover.Switch(100, 3, -2000)]
    timelines = [{"decision_us": 0, "publish_us": 50, "last_worker_ack_us": 52}] * 2
    return {"switch": failover.summary(switches, timelines, [700.0, 800.0], 5000),
            "detection": {"skipped": "the lab of scripts/lab is in use"}}  # fmt: skip


def test_a_misdirected_packet_is_never_averaged_away():
    assert by_key(failover.rows(failover_result()))["failover.misdirected"] == 3


STATED = {"cpu": {"model": "CPU", "mhz": 2600.0, "virtual": True, "invariant_tsc": True}, "cpus": 2, "kernel": "6",
          "dpdk": "22.11", "compiler": "c++", "build": "release", "revision": "abc", "noise": QUIET, "worker_cpu": 1,
          "quick": True}  # fmt: skip


def all_results():
    return {pipeline: pipeline_result(), forward: forward_result(), swap: swap_result(), failover: failover_result(), table: table_result()}


def whole_document() -> dict:
    results = all_results()
    rows = [row for module, result in results.items() for row in module.rows(result)]
    sections = [module.section(result) for module, result in results.items()]
    return report.build(STATED, rows, {"forward.ratio_to_testpmd": Bound(least=0.65)}, sections)


def test_the_document_is_strict_json_with_a_tile_for_each_judged_row():
    document_text = json.dumps(whole_document(), allow_nan=False)
    facts = json.loads(document_text)["facts"]
    assert [fact["verdict"] for fact in facts] == ["fail"]


def test_values_that_are_no_numbers_are_missing_not_invalid():
    assert document.bar(spread_of([])) == [None, None, None]
    assert document.table(["a", "b"], [["x", float("inf")]])["rows"] == [["x", None]]


def test_the_generator_makes_a_page_of_the_document(tmp_path):
    if reason := missing("warmswap-gen"):
        pytest.skip(reason)
    described, page = tmp_path / "document.json", tmp_path / "report.html"
    described.write_text(json.dumps(whole_document()), encoding="utf-8")
    command = [str(BUILD / "warmswap-gen"), "report", str(described), "-o", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "<svg" in page.read_text(encoding="utf-8")


def test_the_balancers_configuration_is_accepted_by_the_control_plane(tmp_path):
    if reason := missing("warmswap-controlplane"):
        pytest.skip(reason)
    path = tmp_path / "warmswap.toml"
    path.touch(mode=0o600)
    shape = Shape("net_pcap0,rx_pcap=/x.pcap,infinite_rx=1", hot=100, warm=8)
    path.write_text(configuration(shape, "x", tmp_path, Memory(False, 256), 1), encoding="utf-8")
    done = subprocess.run([str(BUILD / "warmswap-controlplane"), "--check", str(path)], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_processor_is_described():
    text = "processor\t: 0\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 2596.120\nflags\t\t: fpu constant_tsc nonstop_tsc avx2\n"
    cpu = machine.cpu_of(text)
    assert (cpu["model"], cpu["mhz"], cpu["invariant_tsc"], cpu["virtual"]) == ("AMD EPYC", 2596.12, True, False)
    assert cpu["vectors"] == ["avx2"]


def test_a_frame_is_fourteen_bytes_of_ethernet_and_an_ip_packet():
    frame = frames.tcp_frame(0x0A000001, 4000, 0xC6336401)
    assert struct.unpack_from("!H", frame, 12)[0] == 0x0800
    assert struct.unpack_from("!H", frame, 16)[0] == len(frame) - 14
