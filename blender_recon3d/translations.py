"""The interface in other languages, by Blender's own translation. A language that is not here stays English."""

from __future__ import annotations

import bpy

from .languages.german_settings import GERMAN

_GERMAN = {
    "Reconstruction": "Rekonstruktion",
    "Reconstruct": "Rekonstruieren",
    "Resume": "Fortsetzen",
    "Photos": "Fotos",
    "Results": "Ergebnisse",
    "beside the photos": "neben den Fotos",
    "Advanced": "Erweitert",
    "Review": "Durchsicht",
    "Result": "Ergebnis",
    "Engine": "Rechenwerk",
    "Import Result": "Ergebnis importieren",
    "Import Another Folder": "Anderen Ordner importieren",
    "Import when Done": "Importieren, wenn fertig",
    "Show Live": "Live zeigen",
    "Export Cameras": "Kameras exportieren",
    "Choose Photos": "Fotos wählen",
    "Choose Film": "Film wählen",
    "Look at These Photos": "Diese Fotos ansehen",
    "This file names folders that were not chosen on this machine.": (
        "Diese Datei nennt Ordner, die auf diesem Rechner nicht gewählt wurden."
    ),
    "Set Up Engine": "Rechenwerk einrichten",
    "Repair Engine": "Rechenwerk reparieren",
    "Update Engine": "Rechenwerk aktualisieren",
    "Remove Engine": "Rechenwerk entfernen",
    "Check Engine": "Rechenwerk prüfen",
    "Use One That Is There": "Ein vorhandenes nehmen",
    "The engine is not set up yet.": "Das Rechenwerk ist noch nicht eingerichtet.",
    "The engine is set up.": "Das Rechenwerk ist eingerichtet.",
    "Reading photos": "Fotos lesen",
    "Choosing pairs": "Bildpaare wählen",
    "Finding features": "Merkmale finden",
    "Matching photos": "Fotos zuordnen",
    "Finding cameras": "Kameras finden",
    "Computing depth": "Tiefe berechnen",
    "Building the mesh": "Netz erzeugen",
    "Painting the texture": "Textur malen",
    "Looking at the photos": "Die Fotos werden angesehen",
    "{used} of {photos} photos": "{used} von {photos} Fotos",
    "{films} film(s)": "{films} Film(e)",
    "and {more} more cameras": "und {more} weitere Kameras",
    "{count} will be set aside": "{count} werden beiseitegelegt",
    "About {time}, {memory:.1f} GB of memory": "Etwa {time}, {memory:.1f} GB Speicher",
    "Step {number} of {all}: {stage}": "Schritt {number} von {all}: {stage}",
    "{time} left": "noch {time}",
    "{count} photos placed": "{count} Fotos eingepasst",
    "{count} in another model": "{count} in einem anderen Modell",
    "{count} not placed": "{count} nicht eingepasst",
    "{count} set aside": "{count} beiseitegelegt",
    "{points} points, {error:.2f} px error": "{points} Punkte, {error:.2f} px Fehler",
    "Only Problems": "Nur Probleme",
    "Clean": "Säubern",
    "Clean Cloud": "Wolke säubern",
    "Analyse Cloud": "Wolke untersuchen",
    "Add Crop Box": "Rahmen setzen",
    "Fit Crop Box": "Rahmen anpassen",
    "Save Box for the Engine": "Rahmen für das Rechenwerk sichern",
    "Least Views": "Mindestens Fotos",
    "Least Neighbours": "Mindestens Nachbarn",
    "Least Island": "Kleinste Insel",
    "Key Colour": "Schlüsselfarbe",
    "Key Distance": "Farbabstand",
    "Crop Box": "Rahmen",
    "Stand It Up": "Aufstellen",
    "Ground from Plane": "Boden aus der Ebene",
    "Ground from 3 Points": "Boden aus 3 Punkten",
    "Up Axis": "Achse nach oben",
    "Origin under Object": "Ursprung unter das Objekt",
    "Scale from 2 Points": "Maßstab aus 2 Punkten",
    "Make Mesh": "Netz rechnen",
    "Import Mesh": "Netz importieren",
    "Update Mesh": "Netz auffrischen",
    "{name}: {faces} faces": "{name}: {faces} Flächen",
    "Quads": "Vierecke",
    "Bake Normals": "Normalen backen",
    "Bake Colours": "Farben backen",
    "Try Again": "Noch einmal versuchen",
    "Choose Other Photos": "Andere Fotos wählen",
    "Choose Another Results Folder": "Anderen Ergebnisordner wählen",
    "Go On at Preview Quality": "In Vorschauqualität fortfahren",
    "Open the Log": "Protokoll öffnen",
}

TRANSLATIONS = {"de_DE": {("*", english): german for english, german in {**_GERMAN, **GERMAN}.items()}}


def register() -> None:
    bpy.app.translations.register(__package__, TRANSLATIONS)


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
