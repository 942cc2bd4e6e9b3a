"""What tests of the redundancy engine ask a lab, and how they give it another configuration for a while."""

import contextlib

from lab import eventually, files


@contextlib.contextmanager
def reconfigured(lab, text: str):
    """Another configuration for the length of the block."""
    before = lab.config.path.read_text()
    try:
        files.write_private(lab.config.path, text)
        lab.control.reload()
        yield
    finally:
        files.write_private(lab.config.path, before)
        lab.control.reload()


def flows_of(answers: dict, *names: str) -> list[str]:
    return [flow for flow, backend in answers.items() if backend in names]


def events_of(lab, since: int, kind: str, backend: str | None = None) -> list[dict]:
    found = [event for event in lab.control.events(since) if event["kind"] == kind]
    return [event for event in found if backend is None or event["backend"] == backend]


def failover_of(lab, since: int, owner: str) -> dict:
    """The one failover of this seat, complete with its acknowledgement."""

    def complete():
        found = events_of(lab, since, "failover", owner)
        return found if found and found[0]["timeline"]["last_worker_ack_us"] is not None else None

    events = eventually(complete, f"a failover of {owner} that all workers know of")
    assert len(events) == 1
    return events[0]


def backend(lab, name: str) -> dict:
    return next(row for row in lab.control.get("backends")["backends"] if row["name"] == name)


def probe_detail(lab, name: str) -> str:
    return (backend(lab, name)["last_probe"] or {}).get("detail", "")
