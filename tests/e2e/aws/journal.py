"""Every call that was made, in order: by whom, of what, how large, what it cost, what became of it."""

import json
import threading


class Journal:
    """Entries, oldest first."""

    def __init__(self):
        self._lock = threading.Lock()
        self._entries = []

    def open(self, stack, function, call):
        """Notes a call that has arrived."""
        entry = {
            "stack": stack,
            "function": function,
            "caller": call.caller,
            "service": call.service,
            "operation": call.operation,
            "detail": call.detail,
            "said": call.said,
            "sent_bytes": call.sent_bytes,
            "status": None,
            "fault": None,
        }
        with self._lock:
            self._entries.append(entry)
        return entry

    def of(self, stack):
        """The entries of a stack's functions."""
        with self._lock:
            return [dict(entry) for entry in self._entries if entry["stack"] == stack]


def cost(call, answer):
    """What the table's server says of a call: its units, how many items it looked at, how many it returned."""
    if call.service != "dynamodb" or answer.status != 200:
        return {}
    output = json.loads(answer.body or b"{}")
    found = {name: output[name] for name in ("Count", "ScannedCount") if name in output}
    if "Responses" in output:
        found["Count"] = sum(map(len, output["Responses"].values()))
    if "Item" in output:
        found["Count"] = 1
    capacity = output.get("ConsumedCapacity", [])
    for one in capacity if isinstance(capacity, list) else [capacity]:
        table, indexes = one.get("Table"), one.get("GlobalSecondaryIndexes", {})
        if table is None:
            table = {"CapacityUnits": one.get("CapacityUnits", 0)}
        found["table_units"] = found.get("table_units", 0) + table.get("CapacityUnits", 0)
        units = sum(index.get("CapacityUnits", 0) for index in indexes.values())
        found["index_units"] = found.get("index_units", 0) + units
    return found
