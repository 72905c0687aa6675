"""German of the tools that are used with the mouse in the 3D view."""

GERMAN_TOOLS = {
    "The custom environment below is in use.": "Die eigene Umgebung unten wird verwendet.",
    "Web (GLB)": "Web (GLB)",
    "LODs (GLB)": "LODs (GLB)",
    "Game (FBX)": "Spiel (FBX)",
    "Print (STL)": "Druck (STL)",
    "VFX (USD)": "VFX (USD)",
    "Holes are closed.": "Löcher werden geschlossen.",
    "In millimeters.": "In Millimetern.",
    "Scale from Photos": "Maßstab aus Fotos",
    "Set the scale from the photos' GPS, or from printed ArUco markers of a known size": (
        "Den Maßstab aus dem GPS der Fotos setzen, oder aus gedruckten ArUco-Markern bekannter Größe"
    ),
    "From": "Aus",
    "GPS": "GPS",
    "Meters, with X east and Y north": "Meter, mit x nach Osten und y nach Norden",
    "Markers": "Marker",
    "ArUco markers of known size in the photos": "ArUco-Marker in den Fotos, deren Größe bekannt ist",
    "Marker Size": "Markergröße",
    "Side of the printed markers' black square": "Seite des schwarzen Quadrats der gedruckten Marker",
    "Set": "Setzen",
    "Delete with Lasso": "Mit Lasso löschen",
    "Draw around points in the 3D view, and delete them from cloud and mesh, even if one is hidden": (
        "Punkte in der 3D-Ansicht umfahren und aus Wolke und Mesh löschen, auch wenn eines davon ausgeblendet ist"
    ),
    "Shape": "Form",
    "What to draw": "Was gezeichnet wird",
    "A line around the points": "Eine Linie um die Punkte",
    "Box": "Rechteck",
    "A rectangle over the points": "Ein Rechteck über den Punkten",
    "Restore Deleted Points": "Gelöschte Punkte zurückholen",
    "Read the whole cloud again; the mesh stays as it is until it is built again": (
        "Die ganze Wolke wieder einlesen; das Mesh bleibt, wie es ist, bis es neu erzeugt wird"
    ),
    "Reading the cloud...": "Wolke wird gelesen ...",
    "Build Mesh from Remaining Points": "Mesh aus den übrigen Punkten erzeugen",
    "{points} points are back.": "{points} Punkte sind wieder da.",
    "No points were deleted from the cloud.": "Aus der Wolke wurden keine Punkte gelöscht.",
    "The cloud has changed, so the points that you had deleted are back: delete them again.": (
        "Die Wolke hat sich geändert, daher sind die gelöschten Punkte wieder da: bitte noch einmal löschen."
    ),
    "Fill Hole": "Loch füllen",
    "Click the rim of a hole to fill it; in Edit Mode, fill the holes whose rims are selected. Reproject Photos then "
    "paints it": (
        "Den Rand eines Lochs anklicken, das gefüllt wird; im Bearbeitungsmodus die Löcher mit ausgewähltem Rand. "
        "Fotos projizieren bemalt es dann"
    ),
    "Click the rim of the hole": "Den Rand des Lochs anklicken",
    "Point": "Punkt",
    "A point in world space next to the hole, for scripts": "Ein Punkt in der Welt neben dem Loch, für Skripte",
    "Fill Holes": "Löcher füllen",
    "Fill all holes of the mesh up to a size. Reproject Photos then paints them": (
        "Alle Löcher des Meshs bis zu einer Größe füllen. Fotos projizieren bemalt sie dann"
    ),
    "Filling holes...": "Löcher werden gefüllt ...",
    "All...": "Alle ...",
    "Max Edges": "Kanten höchstens",
    "Holes with more edges stay open; 0: fill all": "Löcher mit mehr Kanten bleiben offen; 0: alle füllen",
    "Filled {holes} holes of {mesh} with {faces} faces: Reproject Photos paints them.": (
        "{holes} Löcher von {mesh} mit {faces} Flächen gefüllt: Fotos projizieren bemalt sie."
    ),
    "Lasso": "Lasso",
    "Corners of the line in pixels of the view, for scripts: x y x y ...": (
        "Ecken der Linie in Pixeln der Ansicht, für Skripte: x y x y ..."
    ),
    "View": "Ansicht",
    "The view's matrix from the world to clip space, row by row, for scripts": (
        "Matrix der Ansicht von der Welt in den Clip-Raum, zeilenweise, für Skripte"
    ),
    "Width and height of the view in pixels, for scripts": "Breite und Höhe der Ansicht in Pixeln, für Skripte",
    "Click three points on the ground to level it; in Edit Mode, use the selected vertices": (
        "Drei Punkte des Bodens anklicken, der waagerecht gelegt wird; im Bearbeitungsmodus zählen die ausgewählten "
        "Vertices"
    ),
    "Move Crop Box Face": "Fläche des Begrenzungsrahmens bewegen",
    "Move one face of the crop box; the others stay": "Eine Fläche des Begrenzungsrahmens bewegen; die anderen bleiben",
    "Face": "Fläche",
    "Face of the box, by its own axes": "Fläche der Box, nach ihren eigenen Achsen",
    "Face on the -X side of the box": "Fläche auf der Seite -X der Box",
    "Face on the +X side of the box": "Fläche auf der Seite +X der Box",
    "Face on the -Y side of the box": "Fläche auf der Seite -Y der Box",
    "Face on the +Y side of the box": "Fläche auf der Seite +Y der Box",
    "Face on the -Z side of the box": "Fläche auf der Seite -Z der Box",
    "Face on the +Z side of the box": "Fläche auf der Seite +Z der Box",
    "Distance": "Abstand",
    "Distance to move the face outward; negative: inward": "Weg der Fläche nach außen; negativ: nach innen",
    "Click two points and type their true distance; in Edit Mode, use the selected vertices": (
        "Zwei Punkte anklicken und ihren wahren Abstand eingeben; im Bearbeitungsmodus zählen die ausgewählten Vertices"
    ),
    "Click point {number} of {count} on the cloud or the mesh": (
        "Punkt {number} von {count} auf Wolke oder Mesh anklicken"
    ),
    "Measured: {measured}   True distance: {typed}": "Gemessen: {measured}   Wahrer Abstand: {typed}",
    "No cloud or mesh is visible: show one first.": (
        "Weder Wolke noch Mesh ist zu sehen: bitte erst einblenden."
    ),
    "There is no 3D view to click in: open one first.": (
        "Es gibt keine 3D-Ansicht zum Zeigen: bitte erst eine öffnen."
    ),
    "{count} points inside, at any depth: Enter deletes them": (
        "{count} Punkte innerhalb, in jeder Tiefe: Enter löscht sie"
    ),
    "Draw around the points to delete": "Die zu löschenden Punkte umfahren",
    "There is no 3D view to draw in: open one first.": (
        "Es gibt keine 3D-Ansicht zum Zeichnen: bitte erst eine öffnen."
    ),
    "There is no 3D view to drag in: open one first.": (
        "Es gibt keine 3D-Ansicht zum Ziehen: bitte erst eine öffnen."
    ),
    "{inside} of {total} points kept": "{inside} von {total} Punkten bleiben",
    "Click: place a point   Backspace: remove the last one   Esc: cancel": (
        "Klick: Punkt setzen   Rücktaste: einen zurücknehmen   Esc: abbrechen"
    ),
    "Type the true distance   Enter: scale   Backspace: correct   Esc: cancel": (
        "Wahren Abstand eingeben   Enter: skalieren   Rücktaste: korrigieren   Esc: abbrechen"
    ),
    "Drag: draw around what to delete   Enter: delete   Esc: cancel": (
        "Ziehen: umfahren, was weg soll   Enter: löschen   Esc: abbrechen"
    ),
    "Release: done   Esc: cancel": "Loslassen: fertig   Esc: abbrechen",
}
