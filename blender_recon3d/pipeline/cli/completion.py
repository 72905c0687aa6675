"""`recon3d completion SHELL`: a script that completes commands, options and their values in bash, zsh and fish.

Generated from the parser, so that it has every option. The script is static: it runs no code of ours while typing.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable

from .command_words import Command, Option, commands_of

FILES = ("FILE", "FILE.json", "DIR", "OUT", "PHOTOS", "PROJECT")  # values that are paths


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script. shell: one of SHELLS."""
    return SHELLS[shell](commands_of(parser))


def _bash(commands: list[Command]) -> str:
    values = "\n".join(
        f"    {'|'.join(names)}) {_bash_reply(words)}; return ;;" for names, words in _values(commands)
    )
    options = "\n".join(f"    {command.name}) words='{' '.join(_flags(command))}' ;;" for command in commands)
    operands = "\n".join(
        f"    {command.name}) {_bash_reply(command.choices)} ;;" for command in commands if command.choices
    )
    return f"""# Completion of recon3d in bash. Save it as ~/.local/share/bash-completion/completions/recon3d.
_recon3d() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    {_bash_reply(["--help", "--version", *(command.name for command in commands)])}
    return
  fi
  case "$prev" in
{values}
  esac
  case "${{COMP_WORDS[1]}}" in
{options}
  esac
  if [ "${{cur#-}}" != "$cur" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{operands}
  esac
}}
complete -o default -F _recon3d recon3d
"""


def _bash_reply(words: tuple[str, ...] | list[str]) -> str:
    """Without words there are no suggestions, and `complete -o default` completes files."""
    return f"""COMPREPLY=($(compgen -W '{" ".join(words)}' -- "$cur"))""" if words else ":"


def _zsh(commands: list[Command]) -> str:
    values = "\n".join(
        f"    {'|'.join(names)}) {'compadd -- ' + ' '.join(words) if words else '_files'}; return ;;"
        for names, words in _values(commands)
    )
    options = "\n".join(
        f"    {command.name}) options=({' '.join(_described(o) for o in command.options)}) ;;"
        for command in commands
    )
    operands = "\n".join(
        f"    {command.name}) compadd -- {' '.join(command.choices)}; return ;;"
        for command in commands
        if command.choices
    )
    names = " ".join(_quoted(f"{command.name}:{_plain(command.help)}") for command in commands)
    return f"""#compdef recon3d
# Completion of recon3d in zsh: save it as _recon3d in a folder of $fpath, or source it after compinit.
_recon3d() {{
  local -a names options
  if (( CURRENT == 2 )); then
    names=({names})
    _describe command names
    compadd -- --help --version
    return
  fi
  case $words[CURRENT-1] in
{values}
  esac
  case $words[2] in
{options}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
    return
  fi
  case $words[2] in
{operands}
  esac
  _files
}}
if [ "$funcstack[1]" = _recon3d ]; then _recon3d "$@"; else compdef _recon3d recon3d; fi
"""


def _described(option: Option) -> str:
    return " ".join(_quoted(f"{name}:{_plain(option.brief)}") for name in option.names)


def _fish(commands: list[Command]) -> str:
    lines = ["# Completion of recon3d in fish: save it as ~/.config/fish/completions/recon3d.fish"]
    first = "complete -c recon3d -n __fish_use_subcommand"
    lines += [f"{first} -l version -d 'the version'", f"{first} -l help -d 'the commands'"]
    lines += [f"{first} -f -a {command.name} -d {_quoted(_plain(command.help))}" for command in commands]
    owners: dict[Option, list[str]] = defaultdict(list)
    for command in commands:
        for option in command.options:
            owners[option].append(command.name)
        if command.choices:
            seen = f"-n '__fish_seen_subcommand_from {command.name}'"
            lines.append(f"complete -c recon3d {seen} -f -a '{' '.join(command.choices)}'")
    for option, names in owners.items():
        words = [f"-s {name[1:]}" if len(name) == 2 else f"-l {name[2:]}" for name in option.names]
        if option.choices:
            words.append(f"-x -a '{' '.join(option.choices)}'")
        elif option.value:
            words.append("-r" if option.value in FILES else "-x")
        seen = f"-n '__fish_seen_subcommand_from {' '.join(names)}'"
        lines.append(f"complete -c recon3d {seen} {' '.join(words)} -d {_quoted(_plain(option.brief))}")
    return "\n".join(lines) + "\n"


SHELLS: dict[str, Callable[[list[Command]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}


def _flags(command: Command) -> list[str]:
    return [name for option in command.options for name in option.names]


def _values(commands: list[Command]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Options that take a value, with their choices; each once."""
    values: dict[tuple[str, ...], tuple[str, ...]] = {}
    for command in commands:
        for option in command.options:
            if option.value and (option.choices or option.value in FILES):
                values.setdefault(option.names, option.choices)
    return list(values.items())


def _plain(text: str) -> str:
    return text.replace("'", "").replace(":", " -").replace("\\", "").strip()


def _quoted(text: str) -> str:
    return f"'{text}'"
