"""Every installed file is the one that a release was made with: locks, sources, refusals."""

import re
import subprocess
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_recon3d.engine_setup import locks, planning, steps
from blender_recon3d.engine_setup.locks import own
from blender_recon3d.engine_setup.package_sources import Sources
from blender_recon3d.engine_setup.requirements import normalized, pins, versions
from blender_recon3d.engine_setup.variants import Driver, choose
from blender_recon3d.pipeline.errors import UserError
from tests.engine_setup.conftest import at
from tests.support.packages import ROOT, make_index, path_with, ready, run, write_wheel

BARE = {"PIP_CONFIG_FILE": "/dev/null", "HOME": "/nowhere"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
CHECKOUT = ROOT / "tools" / "locks"


# -- the locks that ship ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        (locks.read("engine"), ["engine"]),
        (locks.read("setup"), ["setup"]),
        (locks.read("photos"), ["photos"]),
        (
            locks.read("", str(CHECKOUT / "engine.txt")),
            ["engine", "photos", "setup", "test", "coverage", "reference", "lint", "build"],
        ),
        (locks.read("", str(CHECKOUT / "blender.txt")), ["bpy", "test", "build"]),
        (locks.read("", str(CHECKOUT / "lint.txt")), ["lint", "types", "build"]),
    ],
    ids=["engine", "setup", "photos", "checkout", "blender", "lint"],
)
def test_a_lock_has_the_versions_of_pyproject(lock, extras):
    """Otherwise: tools/lock_packages.py."""
    locked = {(entry.name, entry.version) for entry in lock}
    for extra in extras:
        for pin in PROJECT[extra]:
            name, _, version = pin.partition(";")[0].strip().partition("==")
            assert (normalized(name), version) in locked, f"{pin} is not in the lock"
    assert all(entry.hashes for entry in lock)


def test_pre_commit_has_the_same_ruff():
    text = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert set(re.findall(r"ruff==[\d.]+", text)) == {
        pin for pin in PROJECT["lint"] if pin.startswith("ruff")
    }


def test_what_torch_needs_is_locked_too():
    names = {entry.name for entry in locks.read()}
    assert {"filelock", "jinja2", "markupsafe", "sympy", "mpmath", "triton", "nvidia-cublas"} <= names


def test_the_checkout_has_the_engines_packages_from_the_same_files():
    checkout = {
        (entry.name, entry.version): set(entry.hashes)
        for entry in locks.read("", str(CHECKOUT / "engine.txt"))
    }
    for entry in locks.read():
        assert checkout[entry.name, entry.version] == set(entry.hashes)


@given(st.text(max_size=80))
def test_a_file_that_is_not_a_lock_is_refused_with_a_message(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "own.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(UserError):
        locks.read("engine", str(path))


@pytest.mark.parametrize(
    "line", ["numpy==2.4.6", "numpy>=2 --hash=sha256:" + "0" * 64, "numpy==2.4.6 --hash=md5:" + "0" * 32]
)
def test_a_line_without_a_checksum_is_refused(tmp_path, line):
    path = tmp_path / "own.txt"
    path.write_text(line + "\n")
    with pytest.raises(UserError, match=r"is not a lock: .* but one is"):
        locks.read("", str(path))
    problem = planning.plan(tmp_path / "e", lock=str(path), environ=BARE).problems[0]
    assert "is not a lock" in problem


# -- sources of packages ----------------------------------------------------------------------------


def names_of(step) -> set[str]:
    return {re.split("=", line)[0] for line in step.lines}


def test_pypi_alone_is_one_step_with_all_checksums():
    variant = choose("cuda", Driver(13, "580"), "linux")
    (way,) = steps.ways(locks.read(), Sources(), variant, "uv", BARE, "linux")
    (step,) = way
    assert step.checked and step.sources == Sources() and all("--hash=sha256:" in line for line in step.lines)
    assert {"torch", "nvidia-cublas", "filelock"} <= names_of(step)
    assert not any("+cpu" in line for line in step.lines)
    torch = next(line for line in step.lines if line.startswith("torch="))
    assert torch.startswith("torch===2.13.0 ") or torch.startswith(f"torch==={versions(pins())['torch']} ")


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_pytorchs_build_comes_from_its_index_alone(tool):
    variant = choose("cpu", None, "linux")
    (way,) = steps.ways(locks.read(), Sources(proxy="http://proxy"), variant, tool, BARE, "linux")
    rest, torch = way
    assert not names_of(rest) & {"torch", "torchvision", "triton", "nvidia-cublas"} and rest.checked
    assert rest.sources == Sources(proxy="http://proxy")
    assert names_of(torch) == {"torch", "torchvision"} and torch.checked
    assert all("+cpu" in line and "--hash=sha256:" in line for line in torch.lines)
    from blender_recon3d.engine_setup.package_sources import arguments, environment

    flags = arguments(tool, torch.sources, BARE)
    assert variant.index in flags and "--extra-index-url" not in flags and "--torch-backend" not in flags
    environ = environment(
        torch.sources, {**BARE, "PIP_EXTRA_INDEX_URL": "https://corp", "UV_INDEX": "x"}, ROOT
    )
    assert "PIP_EXTRA_INDEX_URL" not in environ and "UV_INDEX" not in environ
    assert torch.sources.proxy == "http://proxy"


def test_a_build_without_checksums_is_announced(tmp_path):
    """Its exact version, from its index alone; the dialog says so before anything is downloaded."""
    variant = choose("cuda", Driver(12, "550"), "linux")
    (way,) = steps.ways(locks.read(), Sources(), variant, "uv", BARE, "linux")
    assert [step.checked for step in way] == [True, False]
    assert way[1].lines == tuple(
        f"{name}=={versions(pins())[name]}+cu126" for name in ("torch", "torchvision")
    )
    made = planning.plan(tmp_path / "e", "cpu", environ=BARE)
    assert any(line.startswith("Checked: every file against") for line in made.lines)


def test_a_custom_index_may_have_either_build_of_torch():
    variant = choose("cpu", None, "linux")
    first, second, last = steps.ways(
        locks.read(), Sources("https://corp/simple"), variant, "uv", BARE, "linux"
    )
    assert "triton" not in names_of(first[0]) | names_of(second[0]) and "triton" in names_of(last[0])
    assert all(step.checked for way in (first, second, last) for step in way)


# -- real installations -----------------------------------------------------------------------------


def tampered(folder, name="numpy"):
    """The same index with a package of the same name and version but different content."""
    root = make_index(folder / "simple")
    write_wheel(root / name, name, versions(pins())[name], {f"{name}.py": "print('something else')"})
    return root


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_a_tampered_package_is_refused_with_one_message(tool, tmp_path, target):
    evil = tampered(tmp_path)
    code, said = run("install", "--target", target, *at(evil), PATH=path_with(tool))
    assert code == 1 and said.startswith("error: numpy==") and said.count("\n") == 1
    assert "is not the file that this release was made with (its sha256 differs)" in said
    assert not list(target.glob("lib/**/numpy*")) and not (target / "ready.json").exists()


def test_a_tampered_package_of_a_users_index_is_refused_by_the_add_ons_lock(index, target):
    """Packages that are PyPI's own files need nothing from the user; others need the user's lock."""
    code, said = run("install", "--target", target, "--index", index.as_uri(), PATH=path_with("pip"))
    assert code == 1 and "sha256 differs" in said and "your own lock" in said


def test_uv_is_not_run_when_it_was_tampered_with(index, target, tmp_path):
    """If uv is not on the PATH, it is downloaded with pip, which checks it before unpacking."""
    import shutil

    root = tmp_path / "simple"
    shutil.copytree(index, root)
    (root / "uv").mkdir()
    version = versions(pins("setup"))["uv"]
    marks = f"#!/bin/sh\necho > {tmp_path}/was_run\necho uv {version}\n"
    wheel = write_wheel(root / "uv", "uv", version, {f"uv-{version}.data/scripts/uv": marks})
    (root / "uv" / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    code, said = run("install", "--target", target, *at(root), PATH="/usr/bin:/bin")
    assert code == 1 and said.startswith(f"error: uv=={version} of ") and "sha256 differs" in said
    assert not (tmp_path / "was_run").exists() and not (target / "tools" / "bin").exists()


def test_a_custom_lock_is_made_from_a_folder(index, target, tmp_path):
    """For files that are not PyPI's; the lock counts, even if the folder changes later."""
    code, said = run("lock", "--find-links", index)
    assert code == 0
    mine = tmp_path / "mine.txt"
    # The rest of the add-on's lock, which is not in this index.
    wheels = {path.name.partition("-")[0].replace("_", "-") for path in index.rglob("*.whl")}
    mine.write_text("".join(f"{line}\n" for line in said.splitlines() if line.partition("==")[0] in wheels))
    options = ("--index", index.as_uri(), "--lock", mine)
    assert run("install", "--target", target, *options, PATH=path_with("uv")) == (0, "")
    assert ready(target)["lock"] == str(mine)


def test_a_lock_of_custom_builds_keeps_the_rest(tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    torch = versions(pins())["torch"]
    write_wheel(folder, "torch", f"{torch}+studio", {"torch.py": ""})
    write_wheel(folder, "numpy", "1.0", {"numpy.py": ""})
    write_wheel(folder, "studio-kernels", "3.1", {"kernels.py": ""})
    shipped = locks.read()
    made = own.with_wheels(shipped, folder)
    added = {(entry.name, entry.version) for entry in made} - {
        (entry.name, entry.version) for entry in shipped
    }
    assert added == {("torch", f"{torch}+studio"), ("studio-kernels", "3.1")}
    path = tmp_path / "own.txt"
    path.write_text(own.text(made))
    assert set(locks.read("engine", str(path))) == set(made)


def test_the_lock_is_what_pip_reads(tmp_path):
    """All of it, with pip's own parser: a line that pip reads differently would be an unchecked package."""
    code = (
        "import sys\nfrom pip._internal.req.req_file import parse_requirements\n"
        "from pip._internal.network.session import PipSession\n"
        "for one in parse_requirements(sys.argv[1], PipSession()):\n"
        "    print(one.requirement.partition(';')[0].strip(), len(one.options['hashes']['sha256']))\n"
    )
    path = tmp_path / "all.txt"
    path.write_text("".join(f"{entry.line}\n" for entry in locks.read()))
    said = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    ).stdout
    expected = [f"{entry.line.split(' ')[0]} {len(entry.hashes)}" for entry in locks.read()]
    assert said.splitlines() == expected
