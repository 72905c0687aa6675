"""Which files count as photos, masks and videos, by extension. Standard library only."""

from __future__ import annotations

EXTENSIONS = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif", ".hif",
        ".avif", ".bmp", ".hdr",
    }
)  # fmt: skip
VIDEO_EXTENSIONS = frozenset(
    {
        ".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".asf", ".3gp",
        ".3g2", ".flv", ".ogv", ".mxf", ".vob",
    }
)  # fmt: skip
MASK_EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
# RAW formats.
RAW_EXTENSIONS = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".kdc", ".mef", ".mos",
        ".mrw", ".nef", ".nrw", ".orf", ".ori", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    }
)  # fmt: skip
# Extensions of formats that are read with optional packages (system/extra_packages.py), by the package.
OPTIONAL = {
    "rawpy": RAW_EXTENSIONS,
    "OpenEXR": frozenset({".exr"}),
    "pillow_jxl": frozenset({".jxl"}),
}
# Image formats that are not supported, or not without those packages.
OTHER_PICTURES = frozenset(
    {
        ".jxl", ".jp2", ".j2k", ".jxr", ".exr", ".psd", ".psb", ".gif", ".tga", ".ppm", ".pgm", ".pnm", ".pfm",
        ".fits", ".heics", ".avifs", ".insp", ".xcf", ".dpx", ".pcx", ".sgi",
    }
)  # fmt: skip
ARCHIVES = frozenset({".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"})
CLOUD = ".icloud"  # placeholder on a Mac for a file moved to the cloud: .IMG_1.HEIC.icloud
# Folders created by systems, network drives and programs: thumbnails, recycle bins, recovered files. Hidden ones
# (.thumbnails, .Trash-1000, .@__thumb) are skipped anyway.
SYSTEM_FOLDERS = frozenset(
    {
        "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@tmp", "$recycle.bin", "recycler",
        "recycled", "recycle.bin", "recycle bin", "system volume information", "lost+found", "lost.dir",
        "network trash folder", "temporary items", "trash", "trashbox", "recycle_bin", "__macosx", "thumbnails",
        "thumbs", "thumb", "_thumbs", "_thumb", "thmbnl", "thm", "xnviewthumb", "_gsdata_", "msocache",
        "ipod photo cache", "appledouble", "_vti_cnf",
        "files_trashbin", "files_versions", "~snapshot", "recently-snapshot", "@synoresource",
        "deleted items", "papierkorb", "corbeille", "papelera", "cestino", "prullenbak", "lixeira", "cache", "caches",
    }
)  # fmt: skip
# Libraries and caches of programs: folders that are shown as one file.
SYSTEM_ENDINGS = (".lrdata", ".photoslibrary", ".aplibrary", ".cocatalogdb")


def is_system_folder(name: str) -> bool:
    """Whether a subfolder of this name contains nothing that a user would consider photos."""
    plain = name.casefold()
    return (
        plain.startswith((".", "found.0"))
        or plain in SYSTEM_FOLDERS
        or plain.endswith(SYSTEM_ENDINGS)
        or (plain.startswith("$") and plain.endswith(".bin"))
    )


def is_picture(head: bytes) -> bool:
    """Whether a file with these first 16 bytes has a supported format."""
    return head.startswith(_STARTS) or (head[:4], head[8:12]) == (b"RIFF", b"WEBP") or head[4:12] in _BOXES


# JPEG, PNG, TIFF (II and MM) and BMP; HEIF and AVIF by their first box.
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"II*\0", b"MM\0*", b"BM", b"#?RADIANCE", b"#?RGBE")
_BOXES = tuple(b"ftyp" + kind for kind in (b"heic", b"heix", b"mif1", b"avif"))
