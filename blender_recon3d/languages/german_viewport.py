"""German of a running job, and of what is done in the 3D view: looking through photos, showing, pointing."""

GERMAN_VIEWPORT = {
    "Next Photo": "Nächstes Foto",
    "Look through the next or previous photo of the review that has a camera": (
        "Durch das nächste oder vorige Foto der Überprüfung sehen, das eine Kamera hat"
    ),
    "Step": "Schritt",
    "1: next photo, -1: previous photo": "1: nächstes Foto, -1: voriges Foto",
    "Exit Photo View": "Fotoansicht verlassen",
    "Camera Markers": "Kameramarker",
    "Add a timeline marker for each photo, bound to its camera, and set the frame range to them": (
        "Je Foto einen Marker in die Zeitleiste setzen, an seine Kamera gebunden, und den Framebereich darauf setzen"
    ),
    "Exit": "Verlassen",
    "Import Folder...": "Ordner importieren...",
    "Restore the camera, resolution and view from before the first photo": (
        "Kamera, Auflösung und Ansicht von vor dem ersten Foto wiederherstellen"
    ),
    "The view is not looking through a photo": "Es wird durch kein Foto gesehen",
    "Opacity": "Deckkraft",
    "Color Cameras": "Kameras einfärben",
    (
        "Show cameras in the viewport by state. Green: good; yellow: few points or a large error; orange: in a "
        "separate group; white: the chosen photo"
    ): (
        "Kameras im Viewport nach Zustand zeigen. Grün: gut; gelb: wenige Punkte oder ein großer Fehler; orange: in "
        "einer eigenen Gruppe; weiß: das gewählte Foto"
    ),
    "Recon3D": "Recon3D",
    "Starting": "Beginnt",
    "Cancelling...": "Wird abgebrochen...",
    "Pause": "Pausieren",
    "Pausing...": "Wird pausiert...",
    "Stop after the photos or pairs in progress, which frees memory, processor and graphics card. "
    "Resume continues from there": (
        "Nach den begonnenen Fotos oder Paaren anhalten; das gibt Speicher, Prozessor und Grafikkarte frei. "
        "Fortsetzen macht dort weiter"
    ),
    "Aligned to the dominant plane.": "An der größten Ebene ausgerichtet.",
    "Aligned to the three points.": "An den drei Punkten ausgerichtet.",
    "{axis} is now the up axis.": "{axis} zeigt jetzt nach oben.",
    "The subject's bottom center is now at {place}.": "Die Mitte der Unterseite liegt jetzt bei {place}.",
    "Scaled by {factor}: {measured} is now {length}.": "Um {factor} skaliert: Aus {measured} wurde {length}.",
    "Looking through {photo}.": "Blick durch {photo}.",
    "{name} has {faces} faces.": "{name} hat {faces} Flächen.",
    "{name} has {levels} levels: {counts} faces.": "{name} hat {levels} Stufen: {counts} Flächen.",
    "{inside} of {total} points kept.": "{inside} von {total} Punkten bleiben.",
    "{left} of {total} points remain.": "{left} von {total} Punkten bleiben.",
    "{points} points, {clusters} clusters, the largest with {largest} points.": (
        "{points} Punkte, {clusters} Gruppen, die größte mit {largest} Punkten."
    ),
    "Deleted {counts}.": "Gelöscht: {counts}.",
    "Exported {cameras} cameras to {path}.": "{cameras} Kameras nach {path} exportiert.",
    "Exported {files}.": "{files} exportiert.",
    "{name} has {points} points; the original cloud is hidden.": (
        "{name} hat {points} Punkte; die ursprüngliche Punktwolke ist ausgeblendet."
    ),
    "Move, rotate and scale the box around the subject.": "Die Box um das Motiv schieben, drehen und skalieren.",
    "Loaded {name}.": "{name} geladen.",
    "Saved {path}.": "{path} gespeichert.",
    "Cancelled": "Abgebrochen",
    "Esc: cancel": "Esc: abbrechen",
    "Import what the engine has just made": "Importieren, was die Engine eben erzeugt hat",
    "Importing the result...": "Ergebnis wird importiert...",
    "Importing the mesh...": "Mesh wird importiert...",
    "Computing the density...": "Dichte wird berechnet...",
    "Writing the cleaned cloud...": "Bereinigte Punktwolke wird geschrieben...",
    "Writing the mesh...": "Mesh wird geschrieben...",
    "Decimating...": "Flächen werden reduziert...",
    "Making levels of detail...": "Detailstufen werden erzeugt...",
    "Exporting...": "Wird exportiert...",
    "Removing the engine...": "Engine wird entfernt...",
    "Baking...": "Wird gebacken...",
    "Remeshing to quads...": "Vierecke werden erzeugt...",
    "{step}, {done} of {all}": "{step}, {done} von {all}",
    "about {time} left": "noch etwa {time}",
    "Reconstruction finished": "Rekonstruktion fertig",
    "Reconstruction failed": "Rekonstruktion fehlgeschlagen",
    "Start Over": "Von vorn beginnen",
    "Start again from the photos; earlier results in the folder are replaced": (
        "Noch einmal von den Fotos an beginnen; frühere Ergebnisse im Ordner werden ersetzt"
    ),
    "Show or Hide": "Ein- oder ausblenden",
    "Show or hide a part of the result": "Einen Teil des Ergebnisses ein- oder ausblenden",
    "Part": "Teil",
    "Part of the result": "Teil des Ergebnisses",
    "The cameras of the photos": "Die Kameras der Fotos",
    "The photos behind the camera views": "Die Fotos hinter den Ansichten der Kameras",
    "The point cloud": "Die Punktwolke",
    "The mesh": "Das Mesh",
    "Show Photos": "Fotos anzeigen",
    "Show details of the photos": "Anzeigen, was über die Fotos bekannt ist",
    "Output": "Ausgabe",
    "Scale: not set": "Kein Maßstab",
    "Set Scale": "Maßstab festlegen",
    "Allow Online Access": "Online-Zugriff erlauben",
    "Enable Preferences > System > Network > Allow Online Access": (
        "Einstellungen > System > Netzwerk > Online-Zugriff erlauben einschalten"
    ),
    "Cancel Reconstruction": "Rekonstruktion abbrechen",
    "Pause Reconstruction": "Rekonstruktion pausieren",
    "Points in Viewport": "Punkte im Viewport",
    "Max number of points of a cloud shown in the viewport, evenly chosen; renders and exports have all": (
        "Höchstzahl der im Viewport gezeigten Punkte einer Punktwolke, gleichmäßig ausgewählt; Renderings und Exporte "
        "haben alle"
    ),
    "Split into Cells": "In Zellen teilen",
    "Split the cloud into boxes, each in a collection of its own, to show or edit parts of a large cloud; the "
    "cloud is kept, hidden": (
        "Die Punktwolke in Boxen teilen, jede in einer eigenen Sammlung, um Teile einer großen Punktwolke zu zeigen "
        "oder zu bearbeiten; die Punktwolke bleibt ausgeblendet erhalten"
    ),
    "Splitting the cloud...": "Punktwolke wird geteilt...",
    "Points per Cell": "Punkte je Zelle",
    "Max number of points of a cell": "Höchstzahl der Punkte einer Zelle",
    "{name}: {cells}; the cloud is hidden.": "{name}: {cells}; die Punktwolke ist ausgeblendet.",
    "Cancel Setup": "Einrichtung abbrechen",
    "Free Disk Space": "Speicherplatz freigeben",
    "Remove": "Entfernen",
    "Remove depth maps and other files that only save time if a step runs again. Results stay": (
        "Tiefenkarten und andere Dateien entfernen, die nur Zeit sparen, wenn ein Schritt erneut läuft. Ergebnisse "
        "bleiben"
    ),
    "There are no finished results in the scene's results folder": (
        "Im Ergebnisordner der Szene gibt es keine fertigen Ergebnisse"
    ),
    "{size} GB can be freed in {folder}.": "In {folder} können {size} GB frei werden.",
    "Cameras, cloud, mesh and texture stay. If a step runs again, it makes these files again.": (
        "Kameras, Punktwolke, Mesh und Textur bleiben. Läuft ein Schritt erneut, erzeugt er diese Dateien wieder."
    ),
    "{size} GB are free again; all results are still there.": (
        "{size} GB sind wieder frei; alle Ergebnisse sind noch da."
    ),
    "Nothing to remove: all files belong to results.": "Nichts zu entfernen: alle Dateien gehören zu Ergebnissen.",
    "Choose the folder with the photos, some of the photos or folders in it, or a video": (
        "Den Ordner mit den Fotos, einige Fotos oder Ordner darin oder ein Video auswählen"
    ),
    "Add to the photos that are chosen already": "Zu den schon gewählten Fotos hinzufügen",
    "Choose more photos, folders or videos, and keep the ones chosen": (
        "Weitere Fotos, Ordner oder Videos auswählen und die gewählten behalten"
    ),
    "Add": "Hinzufügen",
    "Baked {size} x {size} texture of {source} onto {target}.": (
        "Textur von {source} mit {size} x {size} auf {target} gebacken."
    ),
    "Baked {size} x {size} normals of the full mesh onto {target}.": (
        "Normalen des vollen Meshs mit {size} x {size} auf {target} gebacken."
    ),
    "{material} has no Principled BSDF: connect {image} yourself.": (
        "{material} hat kein Principled BSDF: {image} bitte selbst verbinden."
    ),
    "QuadriFlow": "QuadriFlow",
    "the Remesh modifier, with holes closed, since QuadriFlow fails on this mesh": (
        "den Modifikator Remesh, mit geschlossenen Löchern, da QuadriFlow an diesem Mesh scheitert"
    ),
    "{faces} faces by {method}.": "{faces} Flächen durch {method}.",
    "With {cameras} cameras.": "Mit {cameras} Kameras.",
    "Exported {faces} faces to {path}.": "{faces} Flächen nach {path} exportiert.",
    "One hole was filled.": "Ein Loch wurde gefüllt.",
    "{count} holes were filled.": "{count} Löcher wurden gefüllt.",
    "It is watertight.": "Es ist wasserdicht.",
    "It is not watertight: {open} open edges.": "Es ist nicht wasserdicht: {open} offene Kanten.",
    "It is not watertight: {crossed} edges where faces cross or disagree.": (
        "Es ist nicht wasserdicht: {crossed} Kanten, an denen Flächen sich kreuzen oder widersprechen."
    ),
    "It is not watertight: {open} open edges and {crossed} edges where faces cross or disagree.": (
        "Es ist nicht wasserdicht: {open} offene Kanten und {crossed} Kanten, an denen Flächen sich kreuzen oder "
        "widersprechen."
    ),
    "It has no shift: views are off by how far the principal point is from the middle.": (
        "Es hat keine Verschiebung: Ansichten sind um den Abstand des Hauptpunkts von der Mitte versetzt."
    ),
    "FBX animates the focal length alone: sensor and shift are those of the first photo.": (
        "FBX animiert nur die Brennweite: Sensor und Verschiebung sind die des ersten Fotos."
    ),
    "Exported a camera of {frames} frames to {path}.": "Eine Kamera mit {frames} Bildern nach {path} exportiert.",
    "Painted {mesh} from the photos, which show {seen} of it.": (
        "{mesh} nach den Fotos bemalt, die {seen} davon zeigen."
    ),
    "Deleting points...": "Punkte werden gelöscht...",
    "Counting points...": "Punkte werden gezählt...",
    "Clear Photos": "Auswahl der Fotos aufheben",
    "Choose no photos; the files stay where they are": "Keine Fotos auswählen; die Dateien bleiben, wo sie sind",
    "{count} chosen in this folder": "{count} in diesem Ordner ausgewählt",
    "{count} files": "{count} Dateien",
    "Default": "Standard",
    "List": "Liste",
    "Short List": "Kurze Liste",
    "Thumbnails": "Vorschaubilder",
    "Decimate Mesh": "Mesh reduzieren",
    "Reconstruct These Photos": "Diese Fotos rekonstruieren",
    (
        "Use the dropped photos, or all in their folder if they are fewer than three, or the dropped video, and show "
        "the Recon3D tab"
    ): (
        "Die abgelegten Fotos nehmen, bei weniger als drei alle ihres Ordners, oder das abgelegte Video, und die Seite "
        "Recon3D zeigen"
    ),
    "Set Up Axis": "Obere Achse setzen",
    "Reconstructed Mesh (Recon3D)": "Rekonstruiertes Mesh (Recon3D)",
    "Reconstructed Cameras (COLMAP, FBX, USD ...)": "Rekonstruierte Kameras (COLMAP, FBX, USD ...)",
    "Blender is offline, and the engine has to be downloaded.": (
        "Blender ist offline, die Engine muss aber heruntergeladen werden."
    ),
    "There is no result in the results folder yet": "Im Ergebnisordner ist noch kein Ergebnis",
    "Details": "Details",
    "Blender was started with --offline-mode": "Blender wurde mit --offline-mode gestartet",
    "Load Preset": "Vorgabe laden",
    "Load all settings from a file; settings not in the file become automatic": (
        "Alle Einstellungen aus einer Datei nehmen; was sie nicht nennt, wird automatisch"
    ),
    "Save Preset": "Vorgabe speichern",
    "Save all settings to a file, for other captures, other people and the command line": (
        "Alle Einstellungen in einer Datei speichern, für andere Aufnahmen, andere Leute und die Kommandozeile"
    ),
    "Load Preset...": "Vorgabe laden...",
    "Save Preset...": "Vorgabe speichern...",
    "Presets": "Vorgaben",
    "Not in this build of Blender: {formats}": "Nicht in diesem Blender: {formats}",
    "One file with texture, for Unity, Unreal and other 3D programs; Y up": (
        "Eine Datei mit Textur, für Unity, Unreal und andere 3D-Programme; Y oben"
    ),
    "FBX": "FBX",
    "Import Second Model": "Zweites Modell importieren",
    "Import the photos that form a separate group as a second result": (
        "Die Fotos, die eine eigene Gruppe bilden, als eigenes Ergebnis importieren"
    ),
    "Camera: {name} ({photos} photos, {width} x {height})": "Kamera: {name} ({photos} Fotos, {width} x {height})",
    "There is no second model in the results folder": "Im Ergebnisordner ist kein zweites Modell",
    "Setup is incomplete: try again.": "Die Einrichtung ist unvollständig: bitte noch einmal versuchen.",
    "Use Existing Python...": "Vorhandenes Python verwenden...",
    "List Photos": "Fotos auflisten",
    "Fill the review with the photos of the result in this scene": (
        "Die Überprüfung mit den Fotos des Ergebnisses in dieser Szene füllen"
    ),
    "Frame Result": "Ergebnis einrahmen",
    "Frame the result, or the part found so far, in the view": (
        "Die Ansicht auf das Ergebnis richten, oder auf das, was davon schon gefunden ist"
    ),
    "Choose Other Photos": "Andere Fotos auswählen",
    "The default cube is hidden.": "Der Standardwürfel ist ausgeblendet.",
    "Another file was opened during the run: press Import Result to import the result here.": (
        "Während des Laufs wurde eine andere Datei geöffnet: Ergebnis importieren holt das Ergebnis hierher."
    ),
    "There is no placement.json, so the model's -Y is taken as up.": (
        "Es gibt keine placement.json, deshalb gilt -Y des Modells als oben."
    ),
    "There is no dense cloud yet, so the sparse points are shown.": (
        "Es gibt noch keine dichte Wolke, deshalb sind die dünnen Punkte zu sehen."
    ),
    "{model} was imported, with {photos} photos; the other model beside it has {others}.": (
        "{model} mit {photos} Fotos wurde importiert; das andere Modell daneben hat {others}."
    ),
    "{model} was imported, with {photos} photos; the other models beside it have {others}.": (
        "{model} mit {photos} Fotos wurde importiert; die anderen Modelle daneben haben {others}."
    ),
    "The cloud lies far from the cameras, as if one of them were in map coordinates: it is shown where its file says, "
    "and its points are kept near its object's origin, so that nothing is lost to single precision.": (
        "Die Wolke liegt weit von den Kameras, als wäre eines von beiden in Kartenkoordinaten: sie ist dort zu sehen, "
        "wo ihre Datei sagt, und ihre Punkte liegen nahe am Ursprung ihres Objekts, damit nichts an der einfachen "
        "Genauigkeit verloren geht."
    ),
    "The photos are not undistorted yet, so they match the cloud only roughly.": (
        "Die Fotos sind noch nicht entzerrt und passen nur ungefähr zur Wolke."
    ),
    "Updated {cameras} cameras and {points} points.": "{cameras} Kameras und {points} Punkte aktualisiert.",
    "Imported {cameras} cameras and {points} points.": "{cameras} Kameras und {points} Punkte importiert.",
    "Updated {cameras} cameras, {points} points and a mesh of {faces} faces.": (
        "{cameras} Kameras, {points} Punkte und ein Mesh mit {faces} Flächen aktualisiert."
    ),
    "Imported {cameras} cameras, {points} points and a mesh of {faces} faces.": (
        "{cameras} Kameras, {points} Punkte und ein Mesh mit {faces} Flächen importiert."
    ),
    "The texture belongs to an earlier mesh: press Build Mesh to make it again.": (
        "Die Textur gehört zu einem früheren Mesh: Mesh erzeugen macht sie neu."
    ),
    "The texture's image is missing: press Build Mesh to make it again.": (
        "Das Bild der Textur fehlt: Mesh erzeugen macht es neu."
    ),
    "{path} has no faces: set Region to All and press Build Mesh again.": (
        "{path} hat keine Flächen: Bereich auf Alles stellen und noch einmal Mesh erzeugen."
    ),
    "The model is far from the origin, as in map coordinates: {offset} was subtracted, so that no "
    "precision is lost. Exported cameras include it again.": (
        "Das Modell liegt weit vom Ursprung, wie in Kartenkoordinaten: {offset} wurde abgezogen, damit nichts an der "
        "einfachen Genauigkeit verloren geht. Exportierte Kameras haben es wieder."
    ),
    "The model is far from the origin, as in map coordinates: {offset} was subtracted, so that no "
    "precision is lost. Exported cameras include it again. z is used as up.": (
        "Das Modell liegt weit vom Ursprung, wie in Kartenkoordinaten: {offset} wurde abgezogen, damit nichts an der "
        "einfachen Genauigkeit verloren geht. Exportierte Kameras haben es wieder. Z gilt als oben."
    ),
}
