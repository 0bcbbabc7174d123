"""Writes a bill of materials of what is built, in CycloneDX 1.5: every crate that Cargo.lock pins for these features and this
machine, with its licence, its address and the checksum by which cargo fetched it.

    packaging/sbom.py TRIPLE FEATURES > sbom.cdx.json

It asks `cargo metadata` alone, so it needs no tool beside cargo. The same lock makes the same bill, to the byte.
"""

import json
import re
import subprocess
import sys


def checksums() -> dict[tuple[str, str], str]:
    lock = open("Cargo.lock", encoding="utf-8").read()
    packages = re.findall(r'name = "(.*)"\nversion = "(.*)"\n(?:source = ".*"\nchecksum = "(.*)")?', lock)
    return {(name, version): checksum for name, version, checksum in packages if checksum}


def main() -> None:
    triple, features = sys.argv[1], sys.argv[2]
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={triple}", f"--features={features}"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"] or next(id for id, it in packages.items() if it["name"] == "queuewatch")

    def needed(id: str) -> list[str]:
        """What is linked or run to build; what only tests ask for is in nothing that is shipped."""
        kinds = [(dep["pkg"], {kind["kind"] for kind in dep["dep_kinds"]}) for dep in nodes[id]["deps"]]
        return sorted(package for package, kinds in kinds if kinds - {"dev"})

    seen, todo = set(), [root]
    while todo:
        id = todo.pop()
        if id not in seen:
            seen.add(id)
            todo.extend(needed(id))
    sums = checksums()

    def purl(id: str) -> str:
        return f"pkg:cargo/{packages[id]['name']}@{packages[id]['version']}"

    def component(id: str, kind: str) -> dict:
        package = packages[id]
        made = {"type": kind, "bom-ref": purl(id), "name": package["name"], "version": package["version"], "purl": purl(id)}
        if package.get("license"):
            made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := sums.get((package["name"], package["version"])):
            made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package.get("repository"):
            made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return made

    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": component(root, "application"),
            "properties": [{"name": "cargo:target", "value": triple}, {"name": "cargo:features", "value": features}],
        },
        "components": [component(id, "library") for id in sorted(seen - {root}, key=purl)],
        "dependencies": [{"ref": purl(id), "dependsOn": [purl(it) for it in needed(id)]} for id in sorted(seen, key=purl)],
    }
    json.dump(bill, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
