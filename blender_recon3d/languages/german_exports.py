"""German of exports: assets and cameras for other programs."""

GERMAN_EXPORTS = {
    "Export Asset": "Asset exportieren",
    "Export the mesh, with its transform in the world, to another program": (
        "Mesh mit seiner Transformation in der Welt für ein anderes Programm exportieren"
    ),
    "File": "Datei",
    "File path, or a folder for 3DGS": "Dateipfad, für 3DGS ein Ordner",
    "Format": "Format",
    "glTF (GLB)": "glTF (GLB)",
    "One file with texture, for games and the web; Y up": (
        "Eine Datei mit Textur, für Spiele und das Web; Y nach oben"
    ),
    "OBJ": "OBJ",
    "With an MTL file and the texture beside it; Y up": (
        "Mit einer MTL-Datei und der Textur daneben; Y nach oben"
    ),
    "PLY": "PLY",
    "With vertex colors; Z up": "Mit Vertexfarben; Z nach oben",
    "USD": "USD",
    "With textures beside it, or in it as .usdz; Z up": "Mit Texturen daneben, als .usdz darin; Z nach oben",
    "FBX": "FBX",
    "STL": "STL",
    "For 3D printing: shape only, checked to be watertight; Z up": (
        "Für den 3D-Druck: nur die Form, auf Wasserdichtheit geprüft; Z nach oben"
    ),
    "3DGS Folder": "3DGS-Ordner",
    "Undistorted photos, cameras and points, for Gaussian splatting and NeRF": (
        "Entzerrte Fotos, Kameras und Punkte, für Gaussian Splatting und NeRF"
    ),
    "Photos in the 3DGS folder": "Des 3DGS-Ordners",
    "Full Size": "Volle Größe",
    "At full size, without lens distortion": "Wie sie aufgenommen wurden, ohne Verzeichnung",
    "As for Depth": "Wie für die Tiefe",
    "At the size used for depth maps: a smaller folder, written quickly": (
        "So klein, wie sie für Tiefenkarten gemacht wurden: ein kleinerer Ordner, sofort"
    ),
    "Alembic": "Alembic",
    "Shape, UV map and vertex colors, for VFX; Y up": "Form, UV-Map und Vertexfarben, für VFX; Y nach oben",
    "Web": "Web",
    "A small GLB: WebP texture of at most 2,048 pixels, and 16-bit coordinates or at most 100,000 faces": (
        "Ein kleines GLB: WebP-Textur von höchstens 2.048 Pixeln, Koordinaten mit 16 Bit oder höchstens 100.000 Flächen"
    ),
    "Game": "Spiel",
    "LODs": "LODs",
    "A GLB with five levels of detail (MSFT_lod), each with half the faces of the one before": (
        "Ein GLB mit fünf Detailstufen (MSFT_lod), jede mit halb so vielen Flächen wie die davor"
    ),
    "FBX with three LODs and a collision hull, named for Unreal and Unity": (
        "FBX mit drei LODs und einer Kollisionshülle, benannt für Unreal und Unity"
    ),
    "Print": "Druck",
    "Watertight, in millimeters: 3MF or STL": "Wasserdicht, in Millimetern: 3MF oder STL",
    "VFX": "VFX",
    "USD or Alembic with the cameras": "USD oder Alembic mit den Kameras",
    "Survey": "Vermessung",
    "Survey (LAS)": "Vermessung (LAS)",
    "Orthophoto (TIFF)": "Orthofoto (TIFF)",
    "Orthophoto": "Orthofoto",
    "The mesh from above and its heights as GeoTIFF, on the map where the photos have GPS": (
        "Das Mesh von oben und seine Höhen als GeoTIFF, auf der Karte, wenn die Fotos GPS haben"
    ),
    "The dense cloud as LAS, in UTM where the photos have GPS": (
        "Die dichte Punktwolke als LAS, in UTM, wo die Fotos GPS haben"
    ),
    "Use Scene Cameras": "Szenenkameras nutzen",
    "Use the scene's cameras that are named like the photos or have them as backgrounds": (
        "Die Kameras der Szene verwenden, die wie die Fotos heißen oder sie als Hintergrund haben"
    ),
    "Choose the photos first.": "Zuerst die Fotos auswählen.",
    "Fill Holes": "Löcher füllen",
    "Close all holes in the exported file, for printing; the mesh in the scene is not changed": (
        "Alle Löcher in der exportierten Datei schließen, zum Drucken; das Mesh in der Szene bleibt unverändert"
    ),
    "Scale": "Skalierung",
    "Scale factor of the exported file; 1000 exports millimeters": (
        "Skalierungsfaktor der exportierten Datei; 1000 exportiert Millimeter"
    ),
    "Export the cameras as they are now, for reconstruction, training, VFX and game programs": (
        "Kameras in ihrem jetzigen Zustand für Programme für Rekonstruktion, Training, VFX und Spiele exportieren"
    ),
    "One Animated Camera": "Eine animierte Kamera",
    "One camera that steps through the photos, one per frame, with markers named after the photos": (
        "Eine Kamera, die in jedem Frame ein Foto zeigt, mit Markern, die wie die Fotos heißen"
    ),
    "Metashape": "Metashape",
    "XML for Import Cameras": "XML für Import Cameras",
    "RealityScan": "RealityScan",
    "XMP files, to lie beside the photos": "XMP-Dateien, die neben die Fotos gehören",
    "Meshroom": "Meshroom",
    "A scene of AliceVision": "Eine Szene von AliceVision",
    "instant-ngp": "instant-ngp",
    "Bundler": "Bundler",
    "bundle.out, and list.txt with the photos": "bundle.out, und list.txt mit den Fotos",
    "VisualSFM": "VisualSFM",
    "NVM, version 3": "NVM, Version 3",
    "For VFX and games": "Für VFX und Spiele",
    "For VFX": "Für VFX",
    "glTF": "glTF",
    "For the web; without animation": "Für das Web; ohne Animation",
    "Nuke": "Nuke",
    ".chan: one animated camera": ".chan: eine animierte Kamera",
    "Folder": "Ordner",
    "COLMAP": "COLMAP",
    "cameras.txt, images.txt and points3D.txt": "cameras.txt, images.txt und points3D.txt",
    "nerfstudio": "nerfstudio",
    "transforms.json": "transforms.json",
    "Its place on Earth is in {path}.": "Der Ort auf der Erde steht in {path}.",
    "It was moved, turned or scaled in the scene, so its place on Earth is not written: import the result again, and "
    "export before moving it.": (
        "Es wurde in der Szene verschoben, gedreht oder skaliert; der Ort auf der Erde wird darum nicht geschrieben: "
        "das Ergebnis neu importieren und vor dem Verschieben exportieren."
    ),
    "transforms.json, which names the photos": "transforms.json, das die Fotos nennt",
}
