"""Packs what packaging/build-lambda made, and writes the template that deploys it without Rust, and sam's settings.

    packaging/zip.py ARCH BUILD_FOLDER DIST_FOLDER

The same files make the same zip, to the byte: order, times and modes are fixed. It needs nothing but Python, as a
machine without zip has it, and as sam needs it anyway.
"""

import pathlib
import re
import shutil
import sys
import zipfile

# The earliest time a zip can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(build: pathlib.Path, archive: pathlib.Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, mode in (("bootstrap", 0o755), ("queuewatch.toml", 0o644)):
            file = build / name
            if not file.exists() and name != "bootstrap":
                continue
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, so that the mode counts
            entry.external_attr = (0o100000 | mode) << 16
            out.writestr(entry, file.read_bytes(), compresslevel=9)


def replaced(text: str, pattern: str, replacement: str, times: int) -> str:
    """A template that has changed its shape must not deploy something else unnoticed."""
    text, found = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    if found != times:
        sys.exit(f"packaging/zip.py: template.yaml holds {pattern!r} {found} times, not {times}")
    return text


def main() -> None:
    arch, build, dist = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    dist.mkdir(parents=True, exist_ok=True)
    archive = dist / f"queuewatch-lambda-{arch}.zip"
    pack(build, archive)
    text = pathlib.Path("template.yaml").read_text(encoding="utf-8")
    text = replaced(text, r"^    CodeUri: \.$", f"    CodeUri: {archive.name}", 1)
    text = replaced(text, r"^    Metadata:\n      BuildMethod: makefile\n", "", 2)
    # The zip is for one architecture, so the template is, too.
    text = replaced(
        text,
        r"^    Default: arm64\n    AllowedValues: \[arm64, x86_64\]$",
        f"    Default: {arch}\n    AllowedValues: [{arch}]",
        1,
    )
    (dist / "template.yaml").write_text(text, encoding="utf-8")
    # sam reads the one beside the template. What `sam deploy --guided` wrote there stays: without it the next deploy
    # would make a second stack, in another region.
    settings = dist / "samconfig.toml"
    if not settings.exists():
        shutil.copyfile("samconfig.toml", settings)
    print(f"queuewatch: {archive} ({archive.stat().st_size} bytes), {dist / 'template.yaml'}, {settings}")


main()
