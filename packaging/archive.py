"""Packs a folder into FOLDER.tar.gz. The same files make the same archive, to the byte: order, times, owners and modes are
fixed.

    packaging/archive.py FOLDER
"""

import gzip
import pathlib
import sys
import tarfile


def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    with open(f"{folder}.tar.gz", "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path in [folder, *sorted(folder.rglob("*"))]:
                archive.add(path, path.relative_to(folder.parent), recursive=False, filter=plain)


main()
