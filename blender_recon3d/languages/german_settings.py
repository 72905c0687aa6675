"""The settings in German, by their English texts (pipeline/setting_texts.py lists them)."""

from __future__ import annotations

GERMAN = {
    # Headings and what is above the panel's settings
    "Matching": "Zuordnung",
    "Cameras": "Kameras",
    "Depth": "Tiefe",
    "Mesh": "Mesh",
    "Quality": "Qualität",
    "Level of detail, which determines how long it takes": "Wie fein das Ergebnis wird und wie lange es dauert",
    "Preview": "Entwurf",
    "Fast and coarse, to check whether the photos are good": "Schnell und grob: um zu sehen, ob die Fotos gut sind",
    "Medium": "Mittel",
    "Good detail in moderate time": "Gute Einzelheiten in mäßiger Zeit",
    "High": "Hoch",
    "All the detail in the photos; slow": "Alle Einzelheiten der Fotos; langsam",
    "Alignment": "Ausrichtung",
    "Project of another program whose cameras are taken instead of being found": (
        "Projekt eines anderen Programms, dessen Kameras übernommen statt gefunden werden"
    ),
    "What to reconstruct; finished steps are not computed again": (
        "Was rekonstruiert wird; fertige Schritte werden nicht noch einmal gerechnet"
    ),
    "Pairs": "Bildpaare",
    "Features": "Merkmale",
    "Matches": "Zuordnungen",
    "Cameras and sparse points": "Kameras und einzelne Punkte",
    "Cloud": "Punktwolke",
    "Cameras and a dense cloud": "Kameras und eine dichte Punktwolke",
    "Cameras, cloud, and a mesh with vertex colors": "Kameras, Punktwolke und ein Mesh mit Farben der Punkte",
    "Textured Mesh": "Mesh mit Textur",
    "Cameras, cloud, and a mesh with a texture made from the photos": (
        "Kameras, Punktwolke und ein Mesh mit einer Textur aus den Fotos"
    ),
    # Photos
    "Folder, files or a video": "Ordner, Dateien oder ein Video",
    "Masks": "Masken",
    (
        "Where the masks come from, which leave the background out of features, depth and texture: auto, off, alpha, "
        "still, color, model, network, or a folder of masks named like the photos, or a photo of the empty scene"
    ): (
        "Woher die Masken kommen, die den Hintergrund aus Merkmalen, Tiefe und Textur heraushalten: auto, off (keine), "
        "alpha (Transparenz), still (Hintergrund, der stillsteht), color (einfarbiger Hintergrund), model (ein erstes "
        "Modell), network (ein kleines Netz), ein Ordner mit Masken, die wie die Fotos heißen, oder ein Foto der "
        "leeren Szene"
    ),
    "Camera Grouping": "Kameragruppen",
    "Which photos share one camera": "Welche Fotos sich eine Kamera teilen",
    "Automatic": "Automatisch",
    "Those of one make, model, focal length and size": "Die von gleicher Marke, Modell, Brennweite und Größe",
    "Single": "Eine",
    "All of one size": "Alle von gleicher Größe",
    "Each": "Jedes für sich",
    "None: every photo has its own camera": "Keine: Jedes Foto hat seine eigene Kamera",
    "Camera Model": "Kameramodell",
    "COLMAP's camera model": "Kameramodell von COLMAP",
    "Known Intrinsics": "Bekannte Kalibrierung",
    "Known intrinsics in pixels, with commas, in COLMAP's order: 1200,1200,800,600": (
        "Bekannte Kalibrierung in Pixeln, mit Kommas, in COLMAPs Reihenfolge: 1200,1200,800,600"
    ),
    "Video Frames": "Bilder aus dem Video",
    "Frames to take from a video: sharp ones, evenly spaced by how far the view moves": (
        "Wie viele Bilder aus einem Video genommen werden: scharfe, gleichmäßig nach der Bewegung verteilt"
    ),
    "Keep Copies": "Kopien behalten",
    "Use all photos of one view too: copies, brackets, bursts from a tripod": (
        "Auch alle Fotos derselben Ansicht verwenden: Kopien, Belichtungsreihen, Serien vom Stativ"
    ),
    "Keep Blurred Photos": "Unscharfe Fotos behalten",
    "Use badly blurred photos too": "Auch sehr unscharfe Fotos verwenden",
    # Matching
    "Which photos are matched with which: auto, exhaustive, sequential, retrieval, or a file with two names a line": (
        "Welche Fotos einander zugeordnet werden: auto, exhaustive, sequential, retrieval oder eine Datei mit zwei "
        "Namen in jeder Zeile"
    ),
    "Neighbors": "Nachbarn",
    "Retrieval: how many of the most similar photos each is matched with": (
        "Retrieval: wie vielen der ähnlichsten Fotos jedes zugeordnet wird"
    ),
    "Window": "Fenster",
    "Sequential: photos on either side that each is matched with": (
        "Sequential: wie vielen Fotos davor und danach jedes zugeordnet wird"
    ),
    "How features are found and matched": "Wie Merkmale gefunden und zugeordnet werden",
    "Combined if its weights are there; what has features keeps its front-end": (
        "Beide zusammen, wenn die Gewichte dafür vorhanden sind; wo es schon Merkmale gibt, bleibt ihr Verfahren"
    ),
    "Learned": "Gelernt",
    "SuperPoint and SuperGlue, which match wider baselines": (
        "SuperPoint und SuperGlue, die auch weiter entfernte Standpunkte zuordnen"
    ),
    "SuperPoint and LightGlue": "SuperPoint und LightGlue",
    "SuperPoint's keypoints with descriptors like ALIKED's, matched by LightGlue": (
        "SuperPoints Punkte mit Deskriptoren wie denen von ALIKED, von LightGlue zugeordnet"
    ),
    "SIFT": "SIFT",
    "COLMAP's, with finer keypoints for easy captures": "COLMAPs, mit genaueren Punkten für einfache Aufnahmen",
    "Weights": "Gewichte",
    "Weights of the networks: bundled, official, or a folder": (
        "Gewichte der Netzwerke: bundled, official oder ein Ordner"
    ),
    "Scheduler": "Scheduler",
    "Address of a Dask scheduler, host:port, whose workers share the work; they need the same storage": (
        "Adresse eines Schedulers von Dask, Rechner:Port, dessen Worker mitrechnen; sie brauchen denselben Speicherort"
    ),
    "Device": "Gerät",
    "What networks and depth are computed on": "Worauf Netzwerke und Tiefe gerechnet werden",
    "The fastest device that the engine finds": "Das schnellste, das die Engine findet",
    "CPU": "CPU",
    "Works everywhere": "Geht überall",
    "NVIDIA CUDA": "NVIDIA CUDA",
    "An NVIDIA graphics card": "Eine Grafikkarte von NVIDIA",
    "Apple Metal": "Apple Metal",
    "The GPU of an Apple silicon Mac": "Die Grafik eines Mac mit Apple-Chip",
    "Precision": "Genauigkeit",
    "Arithmetic of the networks": "In welcher Genauigkeit die Netzwerke rechnen",
    "bf16 where the processor is fast in it, else fp32": "bf16, wo der Prozessor darin schnell ist, sonst fp32",
    "Exact everywhere": "Überall genau",
    "Several times faster on processors made for it": "Auf Prozessoren, die dafür gebaut sind, mehrfach schneller",
    "Max Keypoints": "Höchstens Punkte",
    "Maximum number of keypoints in a photo. Auto: 8,192 of SIFT, 2,048 of SuperPoint": (
        "Höchstens so viele Merkmale in einem Foto. Auto: 8.192 bei SIFT, 2.048 bei SuperPoint"
    ),
    "Feature Image Size (px)": "Bildgröße für Merkmale (px)",
    "Longest side at which features are found. Auto: from Quality": (
        "Längste Seite, bei der Merkmale gesucht werden. Auto: nach der Qualität"
    ),
    "Suppression Radius (px)": "Mindestabstand (px)",
    "SuperPoint: no two keypoints are closer than this in x and in y": (
        "SuperPoint: Keine zwei Punkte liegen in x und y näher beieinander"
    ),
    "Detection Threshold": "Schwelle der Erkennung",
    "SuperPoint: lowest probability of a keypoint": "SuperPoint: kleinste Wahrscheinlichkeit eines Punktes",
    "Border (px)": "Rand (px)",
    "SuperPoint: edge of the image without keypoints": "SuperPoint: Rand des Bildes ohne Punkte",
    "Min Match Score": "Kleinste Sicherheit",
    "SuperGlue: lowest score of a match; a higher one loses wide baselines": (
        "SuperGlue: kleinste Sicherheit einer Zuordnung; eine höhere verliert weit entfernte Standpunkte"
    ),
    "Max Epipolar Error (px)": "Größter Epipolarfehler (px)",
    "Largest epipolar error of a verified match. Auto: 4 px of SIFT and LightGlue, 3 px of SuperGlue": (
        "Größter Epipolarfehler einer bestätigten Zuordnung. Auto: 4 px bei SIFT und LightGlue, 3 px bei SuperGlue"
    ),
    "Min Inliers": "Mindestens Zuordnungen",
    "Fewest verified matches of a pair. Auto: 15 of SIFT and LightGlue, 30 of SuperGlue": (
        "So viele bestätigte Zuordnungen braucht ein Bildpaar. Auto: 15 bei SIFT und LightGlue, 30 bei SuperGlue"
    ),
    "Combined": "Beide zusammen",
    "SIFT on all pairs, and LightGlue where SIFT finds too little": (
        "SIFT für alle Bildpaare, LightGlue dort, wo SIFT zu wenig findet"
    ),
    "First Keypoints": "Erste Punkte",
    "LightGlue: how many of the strongest keypoints decide whether a pair is matched with all of them. "
    "0: all pairs with all keypoints": (
        "LightGlue: so viele der stärksten Punkte entscheiden, ob ein Bildpaar mit allen zugeordnet wird. "
        "0: alle Bildpaare mit allen Punkten"
    ),
    "Seed": "Startwert",
    "Seed of the random sampling in matching and in the mapper": "Startwert des Zufalls in Zuordnung und Mapper",
    # Cameras
    "Mapper": "Mapper",
    "COLMAP's mapper": "Mapper von COLMAP",
    "Global from 300 photos, incremental for fewer": "Global ab 300 Fotos, bei weniger schrittweise",
    "Incremental": "Schrittweise",
    "One camera after the other": "Eine Kamera nach der anderen",
    "Global": "Global",
    "All cameras at once": "Alle Kameras zugleich",
    "Refine": "Verfeinern",
    "How the cameras are refined after the mapper": "Wie die Kameras nach dem Mapper verfeinert werden",
    "Align every observation in the photos and adjust the cameras again": (
        "Jede Beobachtung in den Fotos ausrichten und die Kameras neu ausgleichen"
    ),
    "Leave the cameras as the mapper left them": "Die Kameras lassen, wie der Mapper sie gefunden hat",
    "Principal Point": "Bildhauptpunkt",
    "Where the optical axis meets the photo": "Wo die optische Achse das Foto trifft",
    "Found for each camera whose photos determine it": (
        "Für jede Kamera gefunden, deren Fotos ihn bestimmen"
    ),
    "Fixed": "Fest",
    "In the middle, or where it was given": "In der Mitte, oder wo er angegeben wurde",
    "Cameras as Found": "Kameras, wie gefunden",
    "Refine Intrinsics": "Kalibrierung verfeinern",
    "Refine focal length and distortion; switch it off for calibrated cameras": (
        "Brennweite und Verzeichnung verfeinern; für kalibrierte Kameras ausschalten"
    ),
    "Min Model Size": "Kleinstes Modell",
    "Fewest photos of a model worth keeping": "So viele Fotos braucht ein Modell, um behalten zu werden",
    # Depth
    "Method": "Verfahren",
    "How depth is estimated": "Wie Tiefe geschätzt wird",
    "COLMAP's where it has CUDA, else ours": "COLMAPs, wo es CUDA hat, sonst unseres",
    "COLMAP": "COLMAP",
    "COLMAP's PatchMatch, which needs COLMAP with CUDA": "PatchMatch von COLMAP; braucht COLMAP mit CUDA",
    "Torch": "Torch",
    "Ours, on any device": "Unseres, auf jedem Gerät",
    "Depth Image Size (px)": "Bildgröße für Tiefe (px)",
    "Longest side at which depth is estimated. Auto: from Quality": (
        "Längste Seite, bei der Tiefe geschätzt wird. Auto: nach der Qualität"
    ),
    "Source Views": "Vergleichsfotos",
    "How many photos each is compared with for depth": "Mit wie vielen Fotos jedes für die Tiefe verglichen wird",
    "Min Views": "Mindestens Fotos",
    "Fewest photos that must agree on a point of the cloud": (
        "So viele Fotos müssen sich über einen Punkt der Punktwolke einig sein"
    ),
    "Point Spacing (px)": "Punktabstand (px)",
    "Points of the cloud closer together than this, in the photos' pixels, are merged": (
        "Punkte der Punktwolke, die in den Fotos näher als so viele Pixel beisammenliegen, werden zusammengefasst"
    ),
    "Memory (GB)": "Speicher (GB)",
    "Maximum memory for depth, fusion and meshing": "Höchstens so viel Speicher für Tiefe, Punktwolke und Mesh",
    # Mesh
    "Max Faces": "Höchstens Flächen",
    "Maximum number of faces of the mesh. Auto: from Quality": (
        "Höchstens so viele Flächen hat das Mesh. Auto: nach der Qualität"
    ),
    "Region": "Bereich",
    "What is meshed": "Was zum Mesh wird",
    "The subject that the cameras orbit, where they orbit one; else all": (
        "Der Gegenstand, um den die Kameras stehen, wo es einen gibt; sonst alles"
    ),
    "All": "Alles",
    "Everything in the cloud": "Die ganze Punktwolke",
    "Mesh only what is in a box: the 12 numbers of a 3x4 matrix, or a JSON file": (
        "Nur was in einem Rahmen liegt: die 12 Zahlen einer 3x4-Matrix oder eine JSON-Datei"
    ),
    "Clean the Cloud": "Punktwolke säubern",
    "Remove outliers and small clusters from the cloud before meshing": (
        "Ausreißer und kleine Gruppen vor dem Mesh aus der Punktwolke nehmen"
    ),
    "Remove what does not belong to the surface": "Nimmt weg, was nicht zur Oberfläche gehört",
    "Off": "Aus",
    "Mesh the cloud as it is": "Die Punktwolke nehmen, wie sie ist",
    "Octree Depth": "Tiefe des Octrees",
    "Depth of Poisson's octree. Auto: from the cloud's spacing": (
        "Tiefe des Octrees bei Poisson. Auto: nach dem Abstand der Punkte"
    ),
    "Watertight": "Geschlossen",
    "Leave the surface closed, for printing, instead of trimming it": (
        "Die Oberfläche geschlossen lassen, zum Drucken, statt sie zu beschneiden"
    ),
    "Mesh Refinement": "Mesh verfeinern",
    "Whether the mesh's vertices move to where the photos agree on its surface": (
        "Ob die Punkte des Meshs dorthin rücken, wo die Fotos über seine Oberfläche einig sind"
    ),
    "Ground": "Boden",
    "What becomes of the ground that the subject stands on": "Was aus dem Boden wird, auf dem das Motiv steht",
    "Keep": "Behalten",
    "The ground stays in the mesh": "Der Boden bleibt im Mesh",
    "Disc": "Scheibe",
    "A disc of ground around the subject stays": "Eine Scheibe Boden um das Motiv bleibt",
    "Remove": "Entfernen",
    "The mesh ends where the subject meets the ground": "Das Mesh endet, wo das Motiv den Boden berührt",
    "Auto": "Automatisch",
    "At high quality": "Bei hoher Qualität",
    "On": "An",
    "Finer relief; the mesh takes several times as long": "Feineres Relief; das Mesh dauert mehrmals so lange",
    "The mesh stays as it was built from the cloud": "Das Mesh bleibt, wie es aus der Wolke entstand",
    "Another cloud (PLY with normals, in the model's frame) instead of dense/fusion.ply": (
        "Eine andere Punktwolke (PLY mit Normalen, im System des Modells) statt dense/fusion.ply"
    ),
    "Texture Size (px)": "Größe der Textur (px)",
    "Side of the texture. Auto: from Quality": "Seite der Textur. Auto: nach der Qualität",
    "File format of the texture: more than 8 bits per channel are taken from the original photos": (
        "Dateiformat der Textur: Mehr als 8 Bit pro Kanal kommen aus den Originalfotos"
    ),
    "Texture Format": "Texturformat",
    "PNG, 8 Bits": "PNG, 8 Bit",
    "For screens, games and the web": "Für Bildschirme, Spiele und das Web",
    "PNG, 16 Bits": "PNG, 16 Bit",
    "OpenEXR": "OpenEXR",
    "For grading, from RAW photos and others with 16 bits": (
        "Für die Farbkorrektur, aus RAW-Fotos und anderen mit 16 Bit"
    ),
    "Linear light, brighter than white where photos are HDR; a PNG is beside it": (
        "Lineares Licht, heller als Weiß, wo Fotos HDR sind; ein PNG liegt daneben"
    ),
    "Texture Tiles": "Kacheln der Textur",
    "Number of tiles (UDIM) of the texture, each of the texture's size. Auto: as many as the photos' detail needs": (
        "Zahl der Kacheln (UDIM), jede von der Größe der Textur. Auto: so viele, wie die Details der Fotos brauchen"
    ),
    "Normal Map": "Normal-Map",
    "Also make a normal map of the mesh before decimation": (
        "Auch eine Normal-Map des Meshs vor dem Vereinfachen erzeugen"
    ),
    "Occlusion Map": "Verdeckungs-Map",
    "Also make an ambient occlusion map of the mesh": "Auch eine Map der Umgebungsverdeckung des Meshs erzeugen",
    "Delight": "Licht entfernen",
    "How much of the soft light is taken out of the texture: 0 for none, 1 for all": (
        "Wie viel des weichen Lichts aus der Textur entfernt wird: 0 nichts, 1 alles"
    ),
}
