"""German of a running job, and of what is done in the 3D view: looking through photos, showing, pointing."""

GERMAN_VIEWPORT = {
    "Next Photo": "Nächstes Foto",
    "Look through the next or previous photo of the review that has a camera": (
        "Durch das nächste oder vorige Foto der Überprüfung sehen, das eine Kamera hat"
    ),
    "Step": "Schritt",
    "1: next photo, -1: previous photo": "1: nächstes Foto, -1: voriges Foto",
    "Exit Photo View": "Fotoansicht verlassen",
    "Restore the camera, resolution and view from before the first photo": (
        "Kamera, Auflösung und Ansicht von vor dem ersten Foto wiederherstellen"
    ),
    "No photo is being looked through": "Es wird durch kein Foto gesehen",
    "Photo Opacity": "Deckkraft des Fotos",
    "Recon3D": "Recon3D",
    "Starting": "Beginnt",
    "Cancelling...": "Wird abgebrochen...",
    "{step}, {done} of {all}": "{step}, {done} von {all}",
    "about {time} left": "noch etwa {time}",
    "Reconstruction finished": "Rekonstruktion fertig",
    "Reconstruction failed": "Rekonstruktion fehlgeschlagen",
    "Start Over": "Von vorn beginnen",
    "Begin again from the photos; earlier results in the folder are replaced": (
        "Noch einmal von den Fotos an beginnen; frühere Ergebnisse im Ordner werden ersetzt"
    ),
    "Show or Hide": "Ein- oder ausblenden",
    "Show or hide a part of the result": "Einen Teil des Ergebnisses ein- oder ausblenden",
    "Part": "Teil",
    "Part of the result": "Teil des Ergebnisses",
    "The cameras of the photos": "Die Kameras der Fotos",
    "The photos behind the cameras' views": "Die Fotos hinter den Ansichten der Kameras",
    "The point cloud": "Die Punktwolke",
    "The mesh": "Das Mesh",
    "Show Photos": "Fotos anzeigen",
    "Show what is known of the photos": "Anzeigen, was über die Fotos bekannt ist",
    "Output": "Ausgabe",
    "Scale: not set": "Maßstab: nicht gesetzt",
}
