"""Common failures, from real runs of uv and pip: one message that says what to do next."""

import socket

import pytest

from blender_recon3d.engine_setup.error_messages import explain
from blender_recon3d.engine_setup.locks import own
from blender_recon3d.engine_setup.requirements import pins, versions
from tests.engine_setup.conftest import at
from tests.support.packages import events_of, make_index, path_with, run, write_wheel


def sentence(target, *arguments: object, tool: str = "uv", **extra: str) -> str:
    """The last message of a failing run, which is also its last event."""
    code, said = run("install", "--target", target, *arguments, PATH=path_with(tool), **extra)
    assert code in (1, 2)
    assert said.startswith("error: ") and said.count("\n") == 1
    events = events_of(target)
    assert not events or (events[-1].kind == "error" and f"error: {events[-1].message}\n" == said)
    assert not (target / "ready.json").exists()
    return said


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_an_index_that_cannot_be_reached(tool, target, closed_port):
    said = sentence(target, "--index", f"http://127.0.0.1:{closed_port}/simple", tool=tool)
    assert f"127.0.0.1:{closed_port} cannot be reached" in said


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_a_missing_proxy(tool, target, closed_port):
    proxy = f"http://me:secret@127.0.0.1:{closed_port}"
    said = sentence(target, "--index", "https://pypi.invalid/simple", "--proxy", proxy, tool=tool)
    assert "proxy refuses the connection" in said
    assert "secret" not in (target.parent / "setup" / "log.txt").read_text("utf-8")


def test_an_index_without_a_package(target, tmp_path, index):
    poor = make_index(tmp_path / "poor", leave_out=("pycolmap",))
    said = sentence(target, "--index", poor.as_uri(), "--lock", index / "lock.txt")
    assert "has no pycolmap" in said and "set an index that has it" in said


def test_an_index_without_the_version(target, tmp_path, index):
    old = make_index(tmp_path / "old", leave_out=("numpy",))
    (old / "numpy").mkdir()
    wheel = write_wheel(old / "numpy", "numpy", "1.0", {"numpy.py": ""})
    (old / "numpy" / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    assert f"has no numpy=={versions(pins())['numpy']}" in sentence(
        target, "--index", old.as_uri(), "--lock", index / "lock.txt"
    )


def test_a_truncated_wheel(target, tmp_path):
    torn = make_index(tmp_path / "torn")
    wheel = next((torn / "torch").glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:100_000])
    assert "was damaged" in sentence(target, *at(torn))


def test_packages_that_do_not_work_are_not_called_ready(target, tmp_path):
    """doctor runs in the new environment before the engine counts as set up."""
    broken = make_index(tmp_path / "broken", leave_out=("scipy",))
    (broken / "scipy").mkdir()
    version = versions(pins())["scipy"]
    wheel = write_wheel(broken / "scipy", "scipy", version, {"scipy.py": "raise ImportError('libfortran')"})
    (broken / "scipy" / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    (broken / "lock.txt").write_text(own.text(own.with_wheels((), broken)))
    said = sentence(target, *at(broken))
    assert "cannot run with them" in said and "libfortran" in said


def test_offline(target):
    said = sentence(target, "--offline")
    assert "online access is off" in said and not target.exists()


def test_a_missing_index(target, tmp_path):
    assert "does not exist" in sentence(target, "--index", (tmp_path / "nothing").as_uri())


def test_a_folder_that_is_not_ours(target, index):
    target.mkdir(parents=True)
    (target / "thesis.txt").touch()
    assert "did not create: choose another" in sentence(target, *at(index))
    assert [path.name for path in target.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_created(tmp_path, index):
    (tmp_path / "file").touch()
    code, said = run("install", "--target", tmp_path / "file" / "x" / "engine", *at(index))
    assert code == 2 and "cannot be created" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("error: Failed to install: torch\n  cause: No space left on device (os error 28)", "disk is full"),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate",
            "root certificate",
        ),
        ("cause: invalid peer certificate: UnknownIssuer", "root certificate"),
        ("OSError('Tunnel connection failed: 407 Proxy Authentication Required')", "proxy refuses"),
        ("ERROR: HTTP error 403 while getting x: 403 Client Error: Forbidden", "name and password"),
        (
            "OSError: [WinError 32] The process cannot access the file because it is being used by another",
            "scanner",
        ),
        ("PermissionError: [Errno 13] Permission denied: '/x/lib'", "No permission"),
        (
            "HINT: This error might have occurred since this system does not have Windows Long Path support",
            "shorter",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "sha256 differs"),
        (
            "Connection refused ... ERROR: No matching distribution found for torch==2.13.0",
            "cannot be reached",
        ),
        ("Traceback\nValueError: something new", "something new"),
    ],
)
def test_errors_that_cannot_be_provoked_here(text, expected):
    """Output of pip and uv on other machines: full disks, Windows, networks that intercept TLS."""
    said = explain(text, "/engine", "https://corp/simple", "3.13.0", "/setup/log.txt")
    assert expected in said and "\n" not in said and said.endswith(".")
