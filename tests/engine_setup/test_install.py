"""A real engine setup: pip and uv install tiny wheels from a local index, are cancelled and killed."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from blender_recon3d import engine_setup
from blender_recon3d.engine_setup import engine_process, locks
from blender_recon3d.engine_setup import target as folder
from blender_recon3d.engine_setup.locks import own
from blender_recon3d.engine_setup.requirements import pins, versions
from tests.engine_setup.conftest import at
from tests.support.packages import BULK, events_of, make_index, path_with, ready, run, start, write_wheel

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups are POSIX's")
TOOLS = ("uv", "pip")


@pytest.mark.parametrize("tool", TOOLS)
def test_it_sets_up_repairs_and_removes(tool, server, target):
    """In a folder with spaces, quotes and non-ASCII letters."""
    path = path_with(tool)
    arguments = ("install", "--target", target, *at(server.root, server.url), "--proxy", "")
    assert engine_setup.state(target) == "missing"
    assert run(*arguments, PATH=path) == (0, "")
    assert engine_setup.state(target) == "ready"

    made = ready(target)
    assert made["requirements"] == list(pins())
    assert made["tool"].startswith(tool) and made["index"] == server.url
    assert made["packages"].items() >= versions(pins()).items()
    assert "torch" in [finding["name"] for finding in made["findings"]]
    assert not (target / "cache").exists()
    assert engine_process.find_python(environ={}, managed=target) == target / engine_process.INTERPRETER

    events = events_of(target)
    assert {event.stage for event in events} == set(engine_setup.STAGES)
    assert (events[-1].kind, events[-1].stage) == ("done", "check")
    downloads = [event for event in events if event.stage == "packages" and event.kind == "progress"]
    assert downloads[-1].done == round(BULK / 1e6)
    assert any(event.message.startswith("downloading torch (2 MB)") for event in downloads)
    installed = [(event.done, event.total) for event in events if event.stage == "install"]
    assert installed == sorted(installed) and installed[-1][0] == installed[-1][1] == len(pins()) + 1

    # Damage: a truncated file, a missing one, another version; the rest unchanged.
    site = next(target.glob("lib/python3*/site-packages"))
    (site / "numpy" / "core.py").write_text("x = ")
    (site / "cv2.py").unlink()
    (site / f"scipy-{versions(pins())['scipy']}.dist-info").rename(site / "scipy-0.1.dist-info")
    assert engine_setup.state(target) == "broken"
    kept = (site / "torch" / "bulk.bin").stat().st_mtime_ns
    assert run(*arguments, PATH=path) == (0, "")
    assert engine_setup.state(target) == "ready"
    assert (site / "numpy" / "core.py").read_text() == "x = 1\n" * 100 and (site / "cv2.py").exists()
    assert (site / "torch" / "bulk.bin").stat().st_mtime_ns == kept
    messages = [event.message for event in events_of(target) if event.message.startswith("Damaged")]
    assert messages and "numpy" in messages[0] and "opencv-python-headless" in messages[0]

    assert run("remove", "--target", target) == (0, "")
    assert not target.exists() and engine_setup.state(target) == "missing"


@pytest.mark.parametrize("tool", TOOLS)
def test_optional_packages_are_added_and_survive_a_repair(tool, target, tmp_path):
    root = make_index(tmp_path / "simple")
    for entry in (*locks.read("photos"), *locks.read("masks")):
        (root / entry.name).mkdir()
        path = write_wheel(root / entry.name, entry.name, entry.version, {f"{entry.name}_module.py": ""})
        (root / entry.name / "index.html").write_text(f'<!DOCTYPE html><a href="{path.name}">{path.name}</a>')
    (root / "lock.txt").write_text(own.text(own.with_wheels((), root)))
    given = ("--target", target, *at(root))
    code, said = run("add", *given, "photos", PATH=path_with(tool))
    assert code == 2 and "press Set Up Engine first" in said
    assert run("install", *given, PATH=path_with(tool)) == (0, "")
    assert run("add", *given, "photos", PATH=path_with(tool)) == (0, "")
    wanted = {entry.name: entry.version for entry in locks.read("photos")}
    assert folder.installed(target).items() >= wanted.items() and engine_setup.state(target) == "ready"
    assert events_of(target)[-1].message.startswith("Added to the engine: ")
    (network,) = locks.read("masks")
    code, said = run("add", *given, "masks", PATH=path_with(tool))
    if sys.version_info >= (3, 13):  # for which the package is not made
        assert code == 1 and f"{network.name} is not made for the engine's Python" in said
    else:
        assert code == 0 and folder.installed(target)[network.name] == network.version
    assert run("install", *given, PATH=path_with(tool)) == (0, "")
    assert folder.installed(target).items() >= wanted.items() and not (target / "cache").exists()
    (root / "rawpy" / f"rawpy-{wanted['rawpy']}-py3-none-any.whl").unlink()
    write_wheel(root / "rawpy", "rawpy", wanted["rawpy"], {"rawpy_module.py": "changed"})
    shutil.rmtree(next(target.glob("lib/python3*/site-packages")) / f"rawpy-{wanted['rawpy']}.dist-info")
    code, said = run("add", *given, "photos", PATH=path_with(tool))
    assert code and "rawpy" not in folder.installed(target)  # another file than the lock's


@posix
@pytest.mark.parametrize(("tool", "way"), [("uv", "file"), ("uv", "signal"), ("pip", "file")])
def test_a_cancel_stops_within_seconds_and_leaves_no_process(tool, way, server, target):
    server.seconds = 60
    process = start("install", "--target", target, *at(server.root, server.url), PATH=path_with(tool))
    assert server.began.wait(60)
    asked = time.monotonic()
    if way == "file":
        (target.parent / "setup" / "cancel").touch()
    else:
        process.terminate()
    assert process.wait(30) == 3
    assert time.monotonic() - asked < 5
    assert not processes_of(target)
    assert engine_setup.state(target) == "broken"
    last = events_of(target)[-1]
    assert last.message.startswith("Cancelled") and last.kind == "info"
    assert not (target.parent / "setup" / "cancel").exists()


@posix
@pytest.mark.parametrize("tool", TOOLS)
def test_after_a_kill_at_any_moment_the_next_run_continues(tool, server, target):
    server.seconds = 1.0
    path = path_with(tool)
    arguments = ("install", "--target", target, *at(server.root, server.url))
    moments = random.Random(7)
    longest, times = (2.5, 4) if tool == "uv" else (9.0, 1)  # with pip, mostly Python's own ensurepip
    for _ in range(times):
        process = start(*arguments, PATH=path)
        time.sleep(moments.uniform(0.3, longest))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        end = time.monotonic() + 5
        while processes_of(target) and time.monotonic() < end:
            time.sleep(0.1)
        assert not processes_of(target)  # its subprocesses ended with it
    server.seconds = 0
    assert run(*arguments, PATH=path) == (0, "")
    assert engine_setup.state(target) == "ready"


@posix
def test_a_second_setup_at_the_same_time_is_refused(server, target):
    server.seconds = 60
    path = path_with("uv")
    first = start("install", "--target", target, *at(server.root, server.url), PATH=path)
    assert server.began.wait(60)
    code, said = run("install", "--target", target, *at(server.root, server.url), PATH=path)
    assert code == 1 and "being set up by another process" in said
    code, said = run("remove", "--target", target)
    assert code == 1 and "being set up by another process" in said
    first.terminate()
    assert first.wait(30) == 3


def test_a_folder_of_wheels_works_without_a_network(index, target, tmp_path):
    """With online access off, and files not in the layout of an index."""
    folder = tmp_path / "wheels here"
    folder.mkdir()
    for wheel in index.glob("*/*.whl"):
        os.link(wheel, folder / wheel.name)
    assert run(
        "install",
        "--target",
        target,
        "--find-links",
        folder,
        "--lock",
        index / "lock.txt",
        "--offline",
        PATH=path_with("uv"),
    ) == (
        0,
        "",
    )
    assert engine_setup.state(target) == "ready"


def test_the_local_version_is_preferred(tmp_path, target):
    """torch 2.13.0+cpu of a second index over 2.13.0 of the first, as pytorch.org names its builds."""
    first = make_index(tmp_path / "first")
    second = tmp_path / "second"
    make_index(second, tuple(name for name in versions(pins()) if name != "torch"), local="+cpu")
    both = tmp_path / "lock.txt"
    both.write_text((first / "lock.txt").read_text() + (second / "lock.txt").read_text())
    arguments = ("--index", first.as_uri(), "--index", second.as_uri(), "--lock", both)
    assert run("install", "--target", target, *arguments, PATH=path_with("uv")) == (0, "")
    assert list(target.glob("lib/python3*/site-packages/torch-*+cpu.dist-info"))
    assert ready(target)["packages"]["torch"] == versions(pins())["torch"]


def test_another_build_of_torch_makes_another_environment(index, target):
    path = path_with("uv")
    arguments = ("install", "--target", target, *at(index))
    assert run(*arguments, "--variant", "cpu", PATH=path) == (0, "")
    foreign = next(target.glob("lib/python3*/site-packages")) / "left_over.py"
    foreign.touch()
    assert run(*arguments, "--variant", "cuda", PATH=path) == (0, "")
    assert not foreign.exists() and ready(target)["variant"] == "cuda"


def test_it_runs_from_an_installed_extension(index, tmp_path):
    """The zip's files in a folder of another name, next to an extension named like a module of the standard library."""
    import zipfile

    import build_addon

    extensions = tmp_path / "user_default"
    with zipfile.ZipFile(build_addon.build(tmp_path)) as archive:
        archive.extractall(extensions / "recon3d")
    (extensions / "json").mkdir()
    (extensions / "json" / "__init__.py").write_text("raise SystemExit('the wrong json')")
    main = extensions / "recon3d" / "engine_setup" / "__main__.py"
    target = tmp_path / "engine"
    command = [sys.executable, "-I", str(main), "install", "--target", str(target), *at(index)]
    result = subprocess.run(
        command, cwd=extensions, env={**os.environ, "PATH": path_with("uv")}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert engine_setup.state(target) == "ready"


def processes_of(target) -> list[str]:
    """Command lines of running processes that name the folder."""
    running = psutil.process_iter(["status", "cmdline"])
    lines = [
        " ".join(each.info["cmdline"] or [])
        for each in running
        if each.info["status"] != psutil.STATUS_ZOMBIE
    ]
    return [line for line in lines if str(target) in line]


def test_a_new_version_of_the_add_on_finds_the_engine_outdated(index, target):
    """An upgrade of the add-on with other pins is detected, and repaired by the same command."""
    path = path_with("uv")
    arguments = ("install", "--target", target, *at(index))
    assert run(*arguments, PATH=path) == (0, "")
    made = ready(target)
    made["requirements"][0] = "torch==2.0.0"
    (target / "ready.json").write_text(json.dumps(made))
    assert engine_setup.state(target) == "outdated"
    assert run(*arguments, PATH=path) == (0, "")
    assert engine_setup.state(target) == "ready"
