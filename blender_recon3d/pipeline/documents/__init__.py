"""The JSON files of a workspace and the engine's answers in JSON: one dataclass each. Standard library only.

    event              events.jsonl, and what `--json` prints
    state_json         state.json
    photos_json        photos.json
    sources_json       sources.json
    registration_json  registration.json
    placement_json     placement.json
    live_json          live/cameras.json
    report_json        report.json
    inspection_json    the answer of `recon3d inspect --json`

`codec` converts them to JSON and back, `document_files` reads and writes the files, `tables` generates their
documentation, docs/pipeline/documents.md.
"""
