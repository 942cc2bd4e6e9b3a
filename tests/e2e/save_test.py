"""What was changed at run time goes back into the configuration file, and everything else in it stays."""

import os

from lab import files


def test_the_file_says_afterwards_what_runs(lab):
    path = lab.config.path
    before = path.read_text()
    mode = path.stat().st_mode
    try:
        commented = before.replace("[[vip]]", "# What clients see.\n[[vip]]", 1)
        files.write_private(path, commented)
        lab.control.reload()
        assert "nothing to save" in lab.ctl("save").stdout
        lab.ctl("weight", "web/hot2", "50")
        lab.ctl("disable", "web/hot3")
        held = lab.assignment()
        shown = lab.ctl("save", "--print").stdout
        assert path.read_text() == commented, "print writes nothing"
        said = lab.ctl("save").stdout
        assert "weight web/hot2 50" in said and "disable web/hot3" in said, said
        saved = path.read_text()
        assert saved == shown
        assert path.stat().st_mode == mode
        assert [line for line in saved.splitlines() if line not in commented.splitlines()] == ["weight = 50", "enabled = false"]
        assert lab.assignment() == held, "the reload that follows moves nothing"
        assert lab.control.states()["hot3"] == "disabled"
        assert not any("changes at run time" in line for line in lab.control.get("status")["warnings"])
        assert "nothing to save" in lab.ctl("save").stdout
    finally:
        files.write_private(path, before)
        lab.control.reload()
        lab.restore()


def test_a_drop_in_beside_the_file_says_it_as_well(lab):
    path = lab.config.path
    before = path.read_text()
    drop_in = path.with_name(path.name + ".d") / "90-saved.toml"
    try:
        lab.ctl("weight", "web/hot2", "50")
        held = lab.assignment()
        shown = lab.ctl("save", "--drop-in", "--print").stdout
        assert not drop_in.exists(), "print writes nothing"
        said = lab.ctl("save", "--drop-in").stdout
        assert str(drop_in) in said and "weight web/hot2 50" in said, said
        assert drop_in.read_text() == shown and "weight = 50" in shown
        assert path.read_text() == before
        assert lab.assignment() == held, "the reload that follows moves nothing"
        lab.ctl("weight", "web/hot2", "70")
        lab.ctl("save", "--drop-in")
        assert "weight = 70" in drop_in.read_text() and "weight = 50" not in drop_in.read_text()
        assert "nothing to save" in lab.ctl("save", "--drop-in").stdout
    finally:
        drop_in.unlink(missing_ok=True)
        if drop_in.parent.exists():
            drop_in.parent.rmdir()
        lab.control.reload()
        lab.restore()


def test_a_file_that_was_changed_meanwhile_is_left_alone(lab):
    path = lab.config.path
    before = path.read_text()
    try:
        lab.ctl("weight", "web/hot2", "50")
        changed = before.replace("[[vip]]", "# Somebody edits it.\n[[vip]]", 1).replace("weight = 100", "weight = 7", 1)
        files.write_private(path, changed)
        refused = lab.ctl("save", check=False)
        assert refused.returncode != 0
        assert "was changed since it was read" in refused.stderr, refused.stderr
        assert path.read_text() == changed
        assert [entry for entry in os.listdir(path.parent) if entry.startswith(path.name + ".")] == []
    finally:
        files.write_private(path, before)
        lab.control.reload()
