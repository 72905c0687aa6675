"""Setting the engine up: what is shown before, the bar, a failure with a message, the doctor's checklist,
and an engine of another version.

WORDS: an index of packages; "fails" where it has none, or "works"; and a Python that has the engine's packages.
"""

import importlib
import json

import bpy

name = next(n for n in bpy.context.preferences.addons.keys() if n.endswith("recon3d"))
setup_session, preferences, target = (
    importlib.import_module(f"{name}.{part}")
    for part in ("jobs.setup_session", "preferences", "engine_setup.target")
)


def scenario(ui, index, outcome, python):
    kept = bpy.context.preferences.addons[name].preferences
    yield from ui.open_tab("Recon3D")
    assert setup_session.state() == "missing" and not bpy.ops.recon3d.reconstruct.poll()
    yield 0.5
    ui.shot("1-no-engine.png")

    bpy.context.preferences.system.use_online_access = False
    yield from ui.press("bpy.ops.recon3d.set_up_engine")
    yield 0.5
    assert not setup_session.session.view.running, "nothing is downloaded while Blender is offline"
    yield from ui.key("ESC")
    yield 0.5

    bpy.context.preferences.system.use_online_access = True
    yield from ui.press("bpy.ops.recon3d.set_up_engine")
    yield 1
    ui.shot("2-asked.png")
    assert not setup_session.session.view.running, "nothing is downloaded before the answer"
    yield from ui.key("ESC")
    yield 0.5
    assert not setup_session.session.view.running, "nor after a no"

    kept.index = index
    yield from ui.press("bpy.ops.recon3d.set_up_engine")
    yield 1
    yield from ui.key("RET")
    yield from ui.until(lambda: setup_session.session.view.running, 20, "setting up starts")
    yield 1
    ui.shot("3-setting-up.png")
    ended = lambda: not setup_session.session.view.running  # noqa: E731
    yield from ui.until(ended, 1200, "setting up ends")
    yield 1
    ui.shot("4-ended.png")
    if outcome == "fails":
        assert setup_session.session.view.error
        kept.engine_python = python
        assert setup_session.unfit() == "", "the chosen Python is used"
        assert bpy.ops.recon3d.check_engine() == {"FINISHED"}
    else:
        assert setup_session.state() == "ready", setup_session.session.view
    yield from ui.until(lambda: setup_session.session.findings, 90, "the doctor answers")
    assert setup_session.session.findings["able"]
    assert bpy.ops.recon3d.reconstruct.poll()
    bpy.ops.preferences.addon_show(module=name)
    yield 2
    ui.shot("5-preferences.png")
    if outcome == "fails":
        kept.engine_python = ""
        yield from outdated(ui, python)


def outdated(ui, python):
    """An engine of another version of the add-on: the tab says so, and its button updates it."""
    folder = preferences.engine_folder()
    target.interpreter(folder).parent.mkdir(parents=True, exist_ok=True)
    target.interpreter(folder).unlink(missing_ok=True)
    target.interpreter(folder).symlink_to(python)
    assert target.is_ours(folder), "the setup that failed has marked it"
    (folder / "ready.json").write_text(json.dumps({"requirements": ["torch==1.0"]}))
    yield 1
    assert setup_session.state() == setup_session.unfit() == "outdated"
    yield from ui.open_tab("Recon3D")
    ui.shot("6-outdated.png")
    yield from ui.press("bpy.ops.recon3d.set_up_engine")
    yield 1
    ui.shot("7-update.png")
    yield from ui.key("RET")
    yield from ui.until(lambda: setup_session.session.view.running, 20, "the update starts")
    yield from ui.until(lambda: not setup_session.session.view.running, 400, "it fails without its index")
    yield 1
    ui.shot("8-not-updated.png")
    assert setup_session.session.view.error
