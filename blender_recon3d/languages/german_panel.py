"""German of the panels, operators and preferences; the settings are in german_settings.py.

Blender's own German terms where it has one.
"""

GERMAN_PANEL = {
    "Reconstruction": "Rekonstruktion",
    "Reconstruct": "Rekonstruieren",
    "Resume": "Fortsetzen",
    "Photos": "Fotos",
    "Results": "Ergebnisse",
    "beside the photos": "neben den Fotos",
    "Advanced": "Erweitert",
    "Review": "Überprüfung",
    "Result": "Ergebnis",
    "Engine": "Engine",
    "Import Result": "Ergebnis importieren",
    "Import Alignment": "Ausrichtung importieren",
    "Import Alignment...": "Ausrichtung importieren...",
    "Use the cameras of Metashape, RealityScan, Meshroom, COLMAP and others instead of finding them": (
        "Für die Fotos die Kameras von Metashape, RealityScan, Meshroom, COLMAP und anderen nehmen, statt sie zu finden"
    ),
    "Project": "Projekt",
    "Import COLMAP or Recon3D Folder...": "Ordner importieren (COLMAP)...",
    "Import when Done": "Importieren, wenn fertig",
    "Show Live": "Live anzeigen",
    "Export Cameras": "Kameras exportieren",
    "Choose Photos": "Fotos auswählen",
    "Choose Results Folder": "Ergebnisordner auswählen",
    "Look at These Photos": "Diese Fotos ansehen",
    "This file contains folders that were not chosen on this machine.": (
        "Diese Datei nennt Ordner, die auf diesem Rechner nicht ausgewählt wurden."
    ),
    "Set Up Engine": "Engine einrichten",
    "Repair Engine": "Engine reparieren",
    "Add Photo Formats": "Fotoformate hinzufügen",
    "Add Mask Network": "Maskennetz hinzufügen",
    "Download the weights of the network for masks (5 MB) into the engine's folder": (
        "Die Gewichte des Netzes für Masken (5 MB) in den Ordner der Engine herunterladen"
    ),
    "The engine was not set up by Blender: run the command in the message in a terminal.": (
        "Die Engine wurde nicht von Blender eingerichtet: den Befehl aus der Meldung in einem Terminal ausführen."
    ),
    "Update Engine": "Engine aktualisieren",
    "Remove Engine": "Engine entfernen",
    "Check Engine": "Engine prüfen",
    "The engine is not set up yet.": "Die Engine ist noch nicht eingerichtet.",
    "The engine is set up.": "Die Engine ist eingerichtet.",
    "The engine belongs to another version of the add-on: update it.": (
        "Die Engine gehört zu einer anderen Version des Add-ons: bitte aktualisieren."
    ),
    "Checking...": "Wird geprüft...",
    "Custom Environment": "Eigene Umgebung",
    "Preferences": "Einstellungen",
    "Download": "Herunterladen",
    "Reading photos": "Fotos lesen",
    "Choosing pairs": "Bildpaare auswählen",
    "Finding features": "Merkmale finden",
    "Matching photos": "Fotos zuordnen",
    "Finding cameras": "Kameras finden",
    "Refining cameras": "Kameras verfeinern",
    "Computing depth": "Tiefe berechnen",
    "Building the mesh": "Mesh erzeugen",
    "Painting the texture": "Textur malen",
    "Reading the photos": "Fotos werden gelesen",
    "{used} of {photos} photos": "{used} von {photos} Fotos",
    "{videos} video(s)": "{videos} Video(s)",
    "and {more} more cameras": "und {more} weitere Kameras",
    "{count} will be excluded": "{count} werden ausgeschlossen",
    "About {time}, {memory:.1f} GB of memory": "Etwa {time}, {memory:.1f} GB Arbeitsspeicher",
    "{count} photos registered": "{count} Fotos registriert",
    "{count} in a separate group": "{count} in einer getrennten Gruppe",
    "{count} not registered": "{count} nicht registriert",
    "{count} excluded": "{count} ausgeschlossen",
    "{points} points, {error:.2f} px error": "{points} Punkte, {error:.2f} px Fehler",
    "{more} more in report.html": "{more} weitere in report.html",
    "Only Problems": "Nur Probleme",
    "Hide registered photos": "Registrierte Fotos ausblenden",
    "Viewport & Import": "Ansicht & Import",
    "Clean Up Points": "Punkte bereinigen",
    "Clean Cloud": "Punktwolke bereinigen",
    "Compute Density": "Dichte berechnen",
    "Add Crop Box": "Rahmen hinzufügen",
    "Reset Crop Box": "Rahmen zurücksetzen",
    "Export Crop Box": "Begrenzungsrahmen exportieren",
    "Remove Cleaning": "Bereinigung entfernen",
    "Apply Cleaning": "Bereinigung anwenden",
    "Apply": "Anwenden",
    "Remove": "Entfernen",
    "Min Views": "Min. Ansichten",
    "Min Neighbors": "Min. Nachbarn",
    "Min Cluster Size": "Min. Clustergröße",
    "Key Color": "Schlüsselfarbe",
    "Key Distance": "Farbabstand",
    "Crop Box": "Begrenzungsrahmen",
    "Orientation & Scale": "Ausrichtung & Maßstab",
    "Align to Ground Plane": "Am Boden ausrichten",
    "Align to 3 Points": "An 3 Punkten ausrichten",
    "Up Axis": "Aufwärtsachse",
    "Move to Origin": "Zum Ursprung",
    "Scale from 2 Points": "Maßstab aus 2 Punkten",
    "Target": "Ziel",
    "World Origin": "Weltursprung",
    "3D Cursor": "3D-Cursor",
    "Location of the 3D cursor": "Position des 3D-Cursors",
    "Build Mesh": "Mesh erzeugen",
    "Import Mesh": "Mesh importieren",
    "Update Mesh": "Mesh aktualisieren",
    "{name}: {faces} faces": "{name}: {faces} Flächen",
    "{tiles} x {size} px: all of the photos' detail": "{tiles} x {size} px: alle Details der Fotos",
    "{tiles} x {size} px: {share} of the photos' detail; all of it needs {enough} texture tiles": (
        "{tiles} x {size} px: {share} der Details der Fotos; alle brauchen {enough} Kacheln"
    ),
    "Remesh to Quads": "Remesh zu Vierecken",
    "Make LODs": "LODs erzeugen",
    "Create hidden copies of the mesh with fewer and fewer faces; the mesh itself is the first level": (
        "Kopien mit immer weniger Flächen erzeugen, ausgeblendet neben dem Mesh, das die erste Stufe ist"
    ),
    "Levels": "Stufen",
    "Number of levels, the mesh itself being the first": "Anzahl der Stufen; das Mesh selbst ist die erste",
    "Ratio": "Verhältnis",
    "Faces of each level, relative to the one before": "Flächen jeder Stufe im Verhältnis zur vorigen",
    "Bake Normals": "Normalen backen",
    "Bake Texture": "Textur backen",
    "Reproject Photos": "Fotos projizieren",
    "Cancel Reprojection": "Projektion abbrechen",
    "Painting {name}": "{name} wird bemalt",
    "Paint the photos onto the UVs of the active mesh, in the background; works on modeled or retopologized "
    "meshes too": (
        "Die Fotos über die UVs auf das aktive Mesh malen, im Hintergrund; auch auf ein selbst modelliertes oder "
        "retopologisiertes"
    ),
    "Stop painting; the mesh keeps its current material": "Das Malen beenden; das Mesh behält sein Material",
    "No photos are being reprojected": "Es werden keine Fotos projiziert",
    "Export": "Exportieren",
    "3DGS": "3DGS",
    "Try Again": "Erneut versuchen",
    "Choose Other Photos": "Andere Fotos auswählen",
    "Choose Another Results Folder": "Anderen Ergebnisordner auswählen",
    "Retry at Preview Quality": "Erneut in Entwurfsqualität",
    "Open the Log": "Protokoll öffnen",
    "Cancel": "Abbrechen",
    "Choose another folder for the results": "Einen anderen Ordner für die Ergebnisse auswählen",
    "Add the cleaning modifier, with limits that remove floating points and keep the subject": (
        "Modifikator zum Bereinigen hinzufügen, dessen Grenzen schwebende Punkte entfernen und das Motiv erhalten"
    ),
    "Compute each point's number of neighbors and cluster size, which cleaning uses": (
        "Nachbarn und Clustergröße jedes Punkts berechnen, nach denen bereinigt wird"
    ),
    "Remove the cleaning modifier and show all points again": (
        "Modifikator zum Bereinigen entfernen und wieder alle Punkte anzeigen"
    ),
    "Create a new cloud from the remaining points; the original is kept, hidden": (
        "Neue Punktwolke aus den verbleibenden Punkten erzeugen; das Original bleibt ausgeblendet erhalten"
    ),
    "Add a box around the subject; points outside it are removed": (
        "Rahmen um das Motiv hinzufügen; Punkte außerhalb werden entfernt"
    ),
    "Write the box to crop.json in the results folder, for use outside Blender. Build Mesh does this automatically": (
        "Rahmen als crop.json in den Ergebnisordner schreiben, zur Verwendung außerhalb von Blender. Mesh erzeugen macht das selbst"  # noqa: E501
    ),
    "Create a copy of the mesh with fewer faces; the original is kept, hidden": (
        "Ähnliches Mesh mit weniger Flächen erzeugen; das Original bleibt ausgeblendet erhalten"
    ),
    "Faces": "Flächen",
    "Target number of faces": "Angestrebte Anzahl der Flächen",
    "Approximate number of faces": "Ungefähre Anzahl der Flächen",
    "Maximum number of faces. Auto: from Quality": "Maximale Anzahl der Flächen. Auto: nach der Qualität",
    "Texture": "Textur",
    "Width and height in pixels. Auto: from Quality": "Breite und Höhe in Pixeln. Auto: nach der Qualität",
    "Auto": "Auto",
    "Auto ({value})": "Auto ({value})",
    "Set a value; otherwise it is chosen automatically": "Einen Wert setzen; sonst wird er automatisch gewählt",
    "Width and height of the image in pixels": "Breite und Höhe des Bilds in Pixeln",
    "Size": "Größe",
    "Extrusion": "Extrusion",
    "Cage extrusion. Auto: from the distance between the meshes": (
        "Käfig-Extrusion. Auto: nach dem Abstand zwischen den Meshes"
    ),
    "Find the cloud's dominant plane, level it and move it to height 0": (
        "Größte Ebene der Punktwolke finden, waagerecht ausrichten und auf Höhe 0 bewegen"
    ),
    "Points": "Punkte",
    "3 points in world space, for scripts; otherwise the 3 selected vertices": (
        "3 Punkte im Weltraum, für Skripte; sonst die 3 ausgewählten Vertices"
    ),
    "2 points in world space, for scripts; otherwise the 2 selected vertices": (
        "2 Punkte im Weltraum, für Skripte; sonst die 2 ausgewählten Vertices"
    ),
    "Import Reconstruction": "Rekonstruktion importieren",
    "Import any folder with a Recon3D workspace or a COLMAP model, binary or text": (
        "Ordner mit Ergebnissen von Recon3D oder einem COLMAP-Modell importieren, binär oder Text"
    ),
    "Reconstruction (Recon3D, COLMAP)": "Rekonstruktion (Recon3D, COLMAP)",
    "Import the mesh and texture of the results folder, or update them": (
        "Mesh und Textur des Ergebnisordners importieren oder aktualisieren"
    ),
    "Import the result into the scene, or update an earlier import": (
        "Ergebnis in die Szene importieren oder einen früheren Import aktualisieren"
    ),
    "Read the photos and results folders set in this file": (
        "Ordner der Fotos und Ergebnisse lesen, die diese Datei nennt"
    ),
    "Look Through Photo": "Durch Foto blicken",
    "Mask": "Maske",
    "Choose Masks": "Masken auswählen",
    "Choose a folder of masks, or a photo of the empty scene": (
        "Einen Ordner mit Masken oder ein Foto der leeren Szene auswählen"
    ),
    "Show Mask": "Maske anzeigen",
    "Tint what the mask hides, over the photo that you look through": (
        "Was die Maske verdeckt, im Foto einfärben, durch das man blickt"
    ),
    "Paint Mask": "Maske malen",
    "Open the photo in the Image Editor with its mask as transparency, to be corrected with a brush": (
        "Das Foto im Bildeditor öffnen, mit der Maske als Transparenz, um sie mit dem Pinsel zu verbessern"
    ),
    "Paint over what is to be hidden, then press Save Mask.": (
        "Übermalen, was verdeckt werden soll, dann Maske speichern drücken."
    ),
    "Mask Brush": "Maskenpinsel",
    "Let the brush hide what it paints over, or show it again": (
        "Der Pinsel verdeckt, was er übermalt, oder zeigt es wieder"
    ),
    "Hide": "Verdecken",
    "Hide; otherwise show again": "Verdecken; sonst wieder zeigen",
    "Show": "Zeigen",
    "Save Mask": "Maske speichern",
    "Save the painted mask with the results; the next reconstruction uses it": (
        "Die gemalte Maske bei den Ergebnissen speichern; die nächste Rekonstruktion benutzt sie"
    ),
    "Press Paint Mask first": "Zuerst Maske malen drücken",
    "The mask of {photo} is saved: the next reconstruction uses it.": (
        "Die Maske von {photo} ist gespeichert: Die nächste Rekonstruktion benutzt sie."
    ),
    "Discard Painted Mask": "Gemalte Maske verwerfen",
    "Remove the painted mask of this photo; the next reconstruction makes its own": (
        "Die gemalte Maske dieses Fotos entfernen; die nächste Rekonstruktion macht selbst eine"
    ),
    "The painted mask of {photo} is removed: the next reconstruction makes its own.": (
        "Die gemalte Maske von {photo} ist entfernt: Die nächste Rekonstruktion macht selbst eine."
    ),
    "View the scene through a photo's camera, with the photo as background": (
        "Szene durch die Kamera eines Fotos ansehen, mit dem Foto als Hintergrund"
    ),
    "Photo": "Foto",
    "Name of the photo in the review": "Name des Fotos in der Überprüfung",
    "Build a textured mesh from the cloud, in the background": (
        "Mesh mit Textur aus der Punktwolke erzeugen, im Hintergrund"
    ),
    "Create a quad mesh; the original is kept, hidden. Bake Texture transfers its texture": (
        "Mesh aus Vierecken erzeugen; das Original bleibt ausgeblendet erhalten. Textur backen überträgt dessen Textur"
    ),
    "Bake the detail of the full mesh into a normal map, and connect it to the material": (
        "Details des vollen Meshs in eine Normal-Map backen und mit dem Material verbinden"
    ),
    "Bake the textured mesh's color onto the quads or another copy": (
        "Farbe des texturierten Meshs auf die Vierecke oder eine andere Kopie backen"
    ),
    "Open Log": "Protokoll öffnen",
    "Open the log in the system's text editor": "Protokoll im Texteditor des Systems öffnen",
    "Log": "Protokoll",
    "log.txt": "log.txt",
    "The log of Set Up Engine": "Protokoll von Engine einrichten",
    "Move the bottom center of the subject to the origin": "Untere Mitte des Motivs zum Ursprung bewegen",
    "Reconstruct the photos in the background, up to the chosen output": (
        "Fotos im Hintergrund rekonstruieren, bis zur gewählten Ausgabe"
    ),
    "Overrides the scene's setting": "Ersetzt die Einstellung der Szene",
    "Use Scene Setting": "Einstellung der Szene verwenden",
    "The quality set in the scene": "Qualität, die in der Szene eingestellt ist",
    "The output set in the scene": "Ausgabe, die in der Szene eingestellt ist",
    "Stop within seconds; progress is kept, and Resume continues": (
        "In wenigen Sekunden anhalten; der Fortschritt bleibt erhalten, und Fortsetzen macht dort weiter"
    ),
    "Stop the setup; Set Up Engine continues from there later": (
        "Einrichtung anhalten; Engine einrichten macht später dort weiter"
    ),
    "Apply Suggestion": "Vorschlag anwenden",
    "Apply the fix that the message suggests": "Abhilfe anwenden, die die Meldung vorschlägt",
    "Delete the environment created by Set Up Engine, and nothing else": (
        "Nur die Umgebung löschen, die Engine einrichten erstellt hat"
    ),
    "List what works on this machine, and how to fix what does not": (
        "Auflisten, was auf diesem Rechner funktioniert und was beim Rest zu tun ist"
    ),
    "Length": "Länge",
    "Real-world distance between the two points": "Tatsächlicher Abstand der beiden Punkte",
    "Download the packages that read camera RAW, OpenEXR and JPEG XL into the engine's folder": (
        "Pakete in den Ordner der Engine herunterladen, die Kamera-RAW, OpenEXR und JPEG XL lesen"
    ),
    "Download the engine's packages into their own folder, or repair them": (
        "Pakete der Engine in einen eigenen Ordner herunterladen oder reparieren"
    ),
    "Rotate the reconstruction so that this axis points up": (
        "Rekonstruktion so drehen, dass diese Achse nach oben zeigt"
    ),
    "Axis": "Achse",
    "Name in the model; empty for an excluded photo": "Name im Modell; leer bei einem ausgeschlossenen Foto",
    "The original file": "Originaldatei",
    "Mean reprojection error, pixels; -1: none": "Mittlerer Reprojektionsfehler in Pixeln; -1: keiner",
    "Sparse points in the photo": "Dünne Punkte im Foto",
    "The result may be wrong; otherwise advice on taking photos": (
        "Das Ergebnis könnte falsch sein; sonst ein Rat zum Fotografieren"
    ),
    "Folder of photos, subfolders included, or a video": (
        "Ordner mit Fotos, auch in Unterordnern, oder ein Video"
    ),
    "Folder for the results; empty: NAME_recon3d beside the photos": (
        "Ordner für die Ergebnisse; leer: NAME_recon3d neben den Fotos"
    ),
    "Import the result into this scene when it is done": (
        "Ergebnis in diese Szene importieren, sobald es fertig ist"
    ),
    "Show cameras and points in the viewport while they are computed": (
        "Kameras und Punkte im Ansichtsfenster anzeigen, während sie berechnet werden"
    ),
    "Photo to look through": "Foto, durch das geblickt wird",
    "Engine's Python": "Python der Engine",
    "Python, or folder, of an existing environment with the engine's packages. Empty: the environment made by Set Up Engine": (  # noqa: E501
        "Python oder Ordner einer vorhandenen Umgebung mit den Paketen der Engine. Leer: die von Engine einrichten erstellte Umgebung"  # noqa: E501
    ),
    "Build": "Variante",
    "Which build of torch Set Up Engine installs": "Variante von torch, die Engine einrichten installiert",
    "Auto-Detect": "Automatisch erkennen",
    "Choose by the graphics card and its driver": "Nach Grafikkarte und Treiber wählen",
    "Large download, for NVIDIA cards": "Großer Download, für Karten von NVIDIA",
    "Small download, works everywhere": "Kleiner Download, funktioniert überall",
    "For Apple silicon": "Für Apple Silicon",
    "Folder for the environment; empty: the extension's user folder": (
        "Ordner für die Umgebung; leer: der Benutzerordner der Erweiterung"
    ),
    "Package Index": "Paketindex",
    "URL of a package index to use instead of PyPI, or a folder with wheels": (
        "URL eines Paketindex anstelle von PyPI oder ein Ordner mit Wheels"
    ),
    "Package Lock": "Paketsperrdatei",
    "File with checksums of your own packages, for an index whose packages differ from PyPI's. Empty: the add-on's": (
        "Datei mit Prüfsummen eigener Pakete, für einen Index mit anderen Paketen als PyPI. Leer: die des Add-ons"
    ),
    "Proxy": "Proxy",
    "URL of a proxy for the download; empty: as set in the system's environment": (
        "URL eines Proxys für den Download; leer: wie in der Systemumgebung eingestellt"
    ),
    "Choose the photos or the results folder first": "Zuerst die Fotos oder den Ergebnisordner auswählen",
    "Import a result first": "Zuerst ein Ergebnis importieren",
    "No reconstruction is running": "Es läuft keine Rekonstruktion",
    "The engine is being set up": "Die Engine wird eingerichtet",
    "There is no environment created by Set Up Engine": "Es gibt keine von Engine einrichten erstellte Umgebung",
    "A reconstruction is running: cancel it or wait until it ends": (
        "Eine Rekonstruktion läuft: abbrechen oder warten"
    ),
    "Min number of photos that see a point": "Mindestanzahl der Fotos, die einen Punkt sehen",
    "Min number of points near a point; needs Compute Density": (
        "Mindestanzahl der Punkte nahe einem Punkt; benötigt Dichte berechnen"
    ),
    "Min number of points in a cluster; needs Compute Density": (
        "Mindestanzahl der Punkte in einem Cluster; benötigt Dichte berechnen"
    ),
    "Remove points of this color": "Punkte dieser Farbe entfernen",
    "Distance from the key color, in sRGB, within which points are removed (0: none, 1.7: all)": (
        "Abstand von der Schlüsselfarbe in sRGB, innerhalb dessen Punkte entfernt werden (0: keine, 1,7: alle)"
    ),
    "Remove points outside this box": "Punkte außerhalb dieses Rahmens entfernen",
    "Make X the up axis": "X zur Aufwärtsachse machen",
    "Make -X the up axis": "-X zur Aufwärtsachse machen",
    "Make Y the up axis": "Y zur Aufwärtsachse machen",
    "Make -Y the up axis": "-Y zur Aufwärtsachse machen",
    "Make Z the up axis": "Z zur Aufwärtsachse machen",
    "Make -Z the up axis": "-Z zur Aufwärtsachse machen",
}
