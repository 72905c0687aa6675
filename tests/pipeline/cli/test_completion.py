"""Completion scripts and the manual page, in the programs that read them."""

import shutil
import subprocess

import pytest

from blender_recon3d.pipeline.cli.command_words import commands_of
from blender_recon3d.pipeline.cli.completion import completion
from blender_recon3d.pipeline.cli.man_page import man_page
from blender_recon3d.pipeline.cli.parser import make_parser

# A shell's suggestions: the words so far, the last of them unfinished, what must be suggested, and what must not.
CASES = [
    (["recon3d", "ex"], {"export"}, {"evaluate"}),
    (["recon3d", "run", "--qual"], {"--quality"}, {"--json"}),
    (["recon3d", "run", "--quality", ""], {"preview", "medium", "high"}, {"--quality"}),
    (["recon3d", "weights", "l"], {"list"}, {"fetch"}),
    (["recon3d", "export", "--cam"], {"--cameras"}, {"--quality"}),
    (["recon3d", "export", "--cameras", "me"], {"metashape", "meshroom"}, {"nvm"}),
]


def needs(program: str) -> str:
    found = shutil.which(program)
    if not found:
        pytest.skip(f"{program} is not installed")
    return found


def run(command: list[str], text: str) -> str:
    answer = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0 and not answer.stderr, answer.stderr
    return answer.stdout


def check(blocks: list[str]) -> None:
    assert len(blocks) == len(CASES)
    for block, (words, wanted, unwanted) in zip(blocks, CASES, strict=True):
        offered = {line.split("\t")[0].strip() for line in block.split("\n")}
        assert wanted <= offered and not unwanted & offered, (words, offered)


def test_bash_completes():
    script = completion(make_parser(), "bash")
    for words, _, _ in CASES:
        quoted = " ".join(f"'{word}'" for word in words)
        script += f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _recon3d\n"
        script += "printf '%s\\n' \"${COMPREPLY[@]}\"; echo '===='\n"
    check(run([needs("bash"), "--norc"], script).split("====\n")[:-1])


def test_fish_completes(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    script = completion(make_parser(), "fish")
    for words, _, _ in CASES:
        script += f"complete -C '{' '.join(words)}'; echo '===='\n"
    check(run([needs("fish"), "--no-config"], script).split("====\n")[:-1])


def test_zsh_completes():
    """compadd and _describe replace the line editor, which only a terminal has."""
    script = "compdef() { }\n_files() { }\n"
    script += "compadd() { shift; print -l -- ${(M)@:#$PREFIX*} }\n"
    script += "_describe() { local -a all=(${(P)@[-1]}); print -l -- ${(M)${all%%:*}:#$PREFIX*} }\n"
    script += completion(make_parser(), "zsh").replace("#compdef recon3d\n", "")
    for words, _, _ in CASES:
        quoted = " ".join(f"'{word}'" for word in words)
        script += f"words=({quoted}); CURRENT={len(words)}; PREFIX='{words[-1]}'; _recon3d; echo '===='\n"
    check(run([needs("zsh"), "-f"], script).split("====\n")[:-1])


def test_every_option_is_in_every_script_and_in_the_manual_page():
    page = man_page(make_parser()).replace("\\-", "-")
    for text in (completion(make_parser(), "bash"), completion(make_parser(), "zsh"), page):
        for command in commands_of(make_parser()):
            assert command.name in text
            for option in command.options:
                if "--help" not in option.names:
                    assert option.names[-1] in text


def test_the_manual_page_has_no_faults(tmp_path):
    path = tmp_path / "recon3d.1"
    path.write_text(man_page(make_parser()), "utf-8")
    answer = subprocess.run(
        [needs("mandoc"), "-T", "lint", "-W", "warning", path], capture_output=True, text=True
    )
    assert [line for line in answer.stdout.splitlines() if "missing date" not in line] == []


def test_nothing_is_colored(capsys):
    """NO_COLOR is respected because there is no color at all."""
    from blender_recon3d.pipeline.cli.recon3d import main

    for words in (["doctor"], ["weights", "list"], ["--help"]):
        main(words)
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err


def test_the_table_of_weights_fits_a_narrow_terminal(capsys, monkeypatch):
    from blender_recon3d.pipeline.cli.recon3d import main

    monkeypatch.setenv("COLUMNS", "40")
    assert main(["weights", "list"]) == 0
    said = capsys.readouterr().out
    assert "superglue-indoor\n  set: " in said
