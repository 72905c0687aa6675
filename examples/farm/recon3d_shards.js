// SPDX-License-Identifier: GPL-3.0-or-later

// A Flamenco job type: photos to a .blend, with the stages that take longest in shards on all workers.
// To install: put this file into the folder `scripts` beside the flamenco-manager executable, and restart it.
// docs/pipeline/farm.md describes the variables that it needs.

const JOB_TYPE = {
    label: "Recon3D",
    settings: [
        { key: "photos", type: "string", subtype: "dir_path", required: true, visible: "submission",
          description: "Folder of photos, on the shared storage" },
        { key: "workspace", type: "string", subtype: "dir_path", required: true, visible: "submission",
          description: "Folder for the results, on the shared storage" },
        { key: "blendfile_out", type: "string", subtype: "file_path", required: true, visible: "submission",
          description: "The .blend file to write at the end" },
        { key: "quality", type: "string", required: true, default: "medium",
          choices: ["preview", "medium", "high"], visible: "submission",
          description: "Level of detail, which determines how long it takes" },
        { key: "until", type: "string", required: true, default: "texture",
          choices: ["refine", "dense", "mesh", "texture"], visible: "submission",
          description: "The last stage" },
        { key: "shards", type: "int32", required: true, default: 4, propargs: { min: 1, max: 1000 },
          visible: "submission", description: "Parts of each stage that is shared; about as many as workers" },
    ],
};

// The stages that are shared, in order, and the steps of each: those of one step wait for all of the step before.
const SHARED = [
    { stage: "features", steps: 1 },
    { stage: "matches", steps: 2 },
    { stage: "dense", steps: 2 },
];

function compileJob(job) {
    const settings = job.settings;
    const run = ["run", settings.photos, "-o", settings.workspace, "--quality", settings.quality];
    // What a stage needs, then its shards; each of the tasks waits for all of those before.
    let before = [addTask(job, "prepare", recon3d([...run, "--until", "pairs"]), [])];
    for (const shared of SHARED) {
        if (shared.stage === "dense") {
            before = [addTask(job, "cameras", recon3d([...run, "--until", "refine"]), before)];
            if (settings.until === "refine") {
                break;
            }
        }
        for (let step = 1; step <= shared.steps; step++) {
            const shards = [];
            for (let part = 1; part <= settings.shards; part++) {
                const name = `${shared.stage}-${step}-${part}`;
                const words = [shared.stage, settings.workspace, "--shard", `${part}/${settings.shards}`];
                shards.push(addTask(job, name, recon3d(words), before));
            }
            before = shards;
        }
        // Puts the shards' results together, and does what they have left.
        before = [addTask(job, shared.stage, recon3d([shared.stage, settings.workspace]), before)];
    }
    if (settings.until !== "refine") {
        before = [addTask(job, settings.until, recon3d([...run, "--until", settings.until]), before)];
    }
    addTask(job, "import", importIntoBlender(settings), before);
}

// Flamenco takes a copy of a task when it is added to the job: its dependencies must be there by then.
function addTask(job, name, command, dependencies) {
    const task = author.Task(name, "blender");
    task.addCommand(command);
    for (const dependency of dependencies) {
        task.addDependency(dependency);
    }
    job.addTask(task);
    return task;
}

function recon3d(words) {
    return author.Command("exec", { exe: "{recon3d}", args: words });
}

// Not blender-render, which needs a .blend file to begin with.
function importIntoBlender(settings) {
    return author.Command("exec", {
        exe: "{blender}",
        args: ["-b", "--python-exit-code", "1", "--python", "{recon3d_import}", "--",
               settings.workspace, settings.blendfile_out],
    });
}
